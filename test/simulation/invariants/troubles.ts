/** Times at which something did not work, for each affected scope. In virtual milliseconds. */

interface Span {
  readonly from: number;
  until: number;
}

/** No invariant needs older times: twice the longest interval, and an allowance for delays. */
const KEPT_MS = 8 * 3_600_000;

export class Troubles {
  readonly #spans = new Map<string, Span[]>();

  /** Call this approximately in the order of `until`. A span may begin before known spans. */
  note(scope: string, from: number, until: number): void {
    const spans = this.#spans.get(scope) ?? [];
    this.#spans.set(scope, spans);
    let begin = from;
    let end = until;
    for (let last = spans.at(-1); last !== undefined && last.until >= begin; last = spans.at(-1)) {
      begin = Math.min(begin, last.from);
      end = Math.max(end, last.until);
      spans.pop();
    }
    spans.push({ from: begin, until: end });
    while ((spans[0]?.until ?? end) < end - KEPT_MS) spans.shift();
  }

  /** Returns the part of the time between two moments in which none of the scopes was in trouble. */
  healthyMs(scopes: readonly string[], from: number, to: number): number {
    const spans = scopes
      .flatMap((scope) => this.#spans.get(scope) ?? [])
      .filter((span) => span.until > from && span.from < to)
      .sort((a, b) => a.from - b.from);
    let healthy = 0;
    let reached = from;
    for (const span of spans) {
      healthy += Math.max(0, span.from - reached);
      reached = Math.max(reached, span.until);
    }
    return healthy + Math.max(0, to - reached);
  }
}
