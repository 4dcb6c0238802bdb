/** When something did not work, by whom it concerns. Times in virtual milliseconds. */

interface Span {
  readonly from: number;
  until: number;
}

/** What is older is asked for by nobody: twice the longest interval, and what it takes to be late. */
const KEPT_MS = 8 * 3_600_000;

export class Troubles {
  readonly #spans = new Map<string, Span[]>();

  /** To be called in the order of `until`, more or less; a span may begin before those that are known. */
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

  /** Of the time between two moments, that in which none of the scopes was in trouble. */
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
