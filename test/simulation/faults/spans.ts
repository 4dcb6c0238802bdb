/** Time span of a fault in virtual milliseconds. A momentary fault ends when it begins. */
interface Span {
  readonly kind: string;
  readonly from: number;
  to: number;
}

/** The time spans of all faults of a simulation. */
export class FaultSpans {
  readonly #spans: Span[] = [];

  /** Records the begin of a fault. The returned function records its end. */
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

  /** Number of faults that overlap with another fault. */
  get overlapping(): number {
    const isBeside = (one: Span, other: Span): boolean => one !== other && one.from <= other.to && other.from <= one.to;
    return this.#spans.filter((one) => this.#spans.some((other) => isBeside(one, other))).length;
  }
}
