/** After so long a request counts half (milliseconds). */
const HALVING_MS = 30_000;

/** Of what a namespace asks for on average: who asks for no more is not what a vault throttles for. */
const MODEST_SHARE = 1 / 2;

/** Who has asked one vault for how much lately. */
export class VaultUsage {
  readonly #requests = new Map<string, number>();
  #total = 0;
  /** Unix milliseconds. */
  #halvedAt: number;

  constructor(now: number) {
    this.#halvedAt = now;
  }

  count(namespace: string, now: number): void {
    this.#halve(now);
    this.#requests.set(namespace, (this.#requests.get(namespace) ?? 0) + 1);
    this.#total += 1;
  }

  /** Namespaces that ask for more than half of what one of them asks for on average: where all ask for much the same, all of them. */
  most(now: number): readonly string[] {
    this.#halve(now);
    const modest = (this.#total / this.#requests.size) * MODEST_SHARE;
    return [...this.#requests].flatMap(([namespace, requests]) => (requests > modest ? [namespace] : []));
  }

  #halve(now: number): void {
    const times = Math.floor((now - this.#halvedAt) / HALVING_MS);
    if (times === 0) return;
    this.#halvedAt += times * HALVING_MS;
    // A clock that was set back makes nothing of what was counted.
    if (times < 0) return;
    this.#total = 0;
    for (const [namespace, requests] of this.#requests) {
      const left = Math.floor(requests / 2 ** times);
      if (left === 0) this.#requests.delete(namespace);
      else this.#requests.set(namespace, left);
      this.#total += left;
    }
  }
}
