/** From when to when a fault lasted; virtual milliseconds. One of a moment begins and ends at once. */
interface Span {
  readonly kind: string;
  readonly from: number;
  to: number;
}

/** The faults of a simulation, as they were. */
export class FaultSpans {
  readonly #spans: Span[] = [];

  /** Gives back what ends it. */
  begin(kind: string, now: number, isMoment: boolean): (now: number) => void {
    const span: Span = { kind, from: now, to: isMoment ? now : Number.POSITIVE_INFINITY };
    this.#spans.push(span);
    return (end) => {
      span.to = Math.min(span.to, end);
    };
  }

  get count(): number {
    return this.#spans.length;
  }

  get kinds(): readonly string[] {
    return [...new Set(this.#spans.map(({ kind }) => kind))];
  }

  /** How many were there while another one was. */
  get overlapping(): number {
    const isBeside = (one: Span, other: Span): boolean => one !== other && one.from <= other.to && other.from <= one.to;
    return this.#spans.filter((one) => this.#spans.some((other) => isBeside(one, other))).length;
  }
}
