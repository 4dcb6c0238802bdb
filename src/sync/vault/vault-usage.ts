/** The vault counts the requests of this many milliseconds. https://learn.microsoft.com/azure/key-vault/general/service-limits */
const WINDOW_MS = 10_000;
/** Accuracy of the window in milliseconds. */
const SLICE_MS = 1_000;

interface Slice {
  /** In milliseconds without the pauses, by the clock of the gate. */
  readonly from: number;
  readonly requests: Map<string, number>;
}

/** Requests to one vault, by namespace: those that wait, and those of the time that the vault counts. Times are by the clock of the gate. */
export class VaultUsage {
  readonly #waiting = new Map<string, number>();
  /** Oldest first. */
  #slices: readonly Slice[] = [];
  /** Milliseconds of all pauses. Nothing is sent in a pause, so that it must not make the requests before it forgotten. */
  #pausedMs = 0;
  #pausedUntil = Number.NEGATIVE_INFINITY;

  waits(namespace: string): void {
    add(this.#waiting, namespace, 1);
  }

  waitsNoLonger(namespace: string): void {
    add(this.#waiting, namespace, -1);
  }

  sent(namespace: string, now: number): void {
    this.#forget(now);
    const at = now - this.#pausedMs;
    const last = this.#slices.at(-1);
    if (last !== undefined && at < last.from + SLICE_MS) add(last.requests, namespace, 1);
    else this.#slices = [...this.#slices, { from: at, requests: new Map([[namespace, 1]]) }];
  }

  pausesUntil(until: number, now: number): void {
    this.#pausedMs += Math.max(0, until - Math.max(now, this.#pausedUntil));
    this.#pausedUntil = Math.max(this.#pausedUntil, until);
  }

  /** Returns the fewest namespaces that together have half of all requests, and those that have as many as one of them. */
  most(now: number): ReadonlySet<string> {
    this.#forget(now);
    const requests = new Map(this.#waiting);
    for (const slice of this.#slices) for (const [namespace, count] of slice.requests) add(requests, namespace, count);
    const counts = [...requests.values()].sort((a, b) => b - a);
    const total = counts.reduce((sum, count) => sum + count, 0);
    let counted = 0;
    const least = counts.find((count) => {
      counted += count;
      return counted >= total / 2;
    });
    return new Set([...requests].flatMap(([namespace, count]) => (count >= (least ?? 0) ? [namespace] : [])));
  }

  #forget(now: number): void {
    const since = now - this.#pausedMs - WINDOW_MS;
    if ((this.#slices[0]?.from ?? since) < since) this.#slices = this.#slices.filter(({ from }) => from >= since);
  }
}

function add(counts: Map<string, number>, namespace: string, count: number): void {
  const next = (counts.get(namespace) ?? 0) + count;
  if (next === 0) counts.delete(namespace);
  else counts.set(namespace, next);
}
