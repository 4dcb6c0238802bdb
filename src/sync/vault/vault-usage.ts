/** After so long a request counts half (milliseconds). */
const HALVING_MS = 30_000;

/** Who has asked one vault for how much lately. */
export class VaultUsage {
  readonly #requests = new Map<string, number>();
  /** Unix milliseconds. */
  #halvedAt: number;

  constructor(now: number) {
    this.#halvedAt = now;
  }

  count(namespace: string, now: number): void {
    this.#halve(now);
    this.#requests.set(namespace, (this.#requests.get(namespace) ?? 0) + 1);
  }

  /** The fewest namespaces that together ask for half of all, and those that ask for as much as one of them. */
  most(now: number): ReadonlySet<string> {
    this.#halve(now);
    const total = [...this.#requests.values()].reduce((all, requests) => all + requests, 0);
    let sum = 0;
    const marginal = [...this.#requests.values()]
      .sort((a, b) => b - a)
      .find((requests) => {
        sum += requests;
        return sum >= total / 2;
      });
    return new Set([...this.#requests].flatMap(([namespace, requests]) => (requests >= (marginal ?? 0) ? [namespace] : [])));
  }

  #halve(now: number): void {
    const times = Math.floor((now - this.#halvedAt) / HALVING_MS);
    if (times === 0) return;
    this.#halvedAt += times * HALVING_MS;
    // A clock that was set back makes nothing of what was counted.
    if (times < 0) return;
    for (const [namespace, requests] of this.#requests) {
      const left = Math.floor(requests / 2 ** times);
      if (left === 0) this.#requests.delete(namespace);
      else this.#requests.set(namespace, left);
    }
  }
}
