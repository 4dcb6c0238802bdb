/** Nobody who polls uses a thing this seldom; to make it anew costs a challenge and a token (milliseconds). */
const IDLE_MS = 3_600_000;

interface Entry<Value> {
  readonly value: Value;
  readonly holders: Set<string>;
  usedAt: number;
}

export interface SharedCacheOptions {
  readonly capacity: number;
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
}

/** What is wanted, and for whom. */
export interface Wanted {
  readonly key: string;
  readonly holder: string;
}

/**
 * Keeps so many entries, each for all who use it. Where there are more, those go that nobody has used for long, then the oldest of the holder
 * that has most: whoever wants ever new ones loses their own. Each map and set is in the order of last use.
 */
export class SharedCache<Value> {
  readonly #options: SharedCacheOptions;
  readonly #entries = new Map<string, Entry<Value>>();
  readonly #shares = new Map<string, Set<string>>();

  constructor(options: SharedCacheOptions) {
    this.#options = options;
  }

  getOrCreate({ key, holder }: Wanted, create: () => Value): Value {
    const { capacity, now } = this.#options;
    const entry = this.#entries.get(key) ?? { value: create(), holders: new Set<string>(), usedAt: 0 };
    entry.usedAt = now();
    entry.holders.add(holder);
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    const share = this.#shares.get(holder) ?? new Set<string>();
    share.delete(key);
    share.add(key);
    this.#shares.delete(holder);
    this.#shares.set(holder, share);
    while (this.#entries.size > capacity) this.#makeRoom(entry.usedAt);
    return entry.value;
  }

  #makeRoom(now: number): void {
    const [oldest] = this.#entries;
    if (oldest !== undefined && now - oldest[1].usedAt >= IDLE_MS) {
      const [key, { holders }] = oldest;
      for (const holder of holders) this.#release(key, holder);
      return;
    }
    const holder = this.#largest();
    const [key] = this.#shares.get(holder) ?? [];
    if (key !== undefined) this.#release(key, holder);
  }

  /** Of several, the one that came last longest ago. */
  #largest(): string {
    let largest = "";
    let most = 0;
    for (const [holder, { size }] of this.#shares) {
      if (size <= most) continue;
      largest = holder;
      most = size;
    }
    return largest;
  }

  #release(key: string, holder: string): void {
    const share = this.#shares.get(holder);
    share?.delete(key);
    if (share?.size === 0) this.#shares.delete(holder);
    const holders = this.#entries.get(key)?.holders;
    holders?.delete(holder);
    if (holders?.size === 0) this.#entries.delete(key);
  }
}
