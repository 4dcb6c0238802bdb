interface Entry<V> {
  readonly key: string;
  value: V;
  older: Entry<V> | undefined;
  newer: Entry<V> | undefined;
}

/**
 * A map in the order of insertion whose oldest key is found at once. A plain Map has a gap where an entry was deleted, and each walk from
 * its front passes all gaps: with thousands of entries, that takes longer than all other work on an entry.
 */
export class AgingMap<V> {
  readonly #entries = new Map<string, Entry<V>>();
  #oldest: Entry<V> | undefined;
  #newest: Entry<V> | undefined;

  get size(): number {
    return this.#entries.size;
  }

  get oldest(): string | undefined {
    return this.#oldest?.key;
  }

  get(key: string): V | undefined {
    return this.#entries.get(key)?.value;
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  /** A key that exists keeps its place. */
  set(key: string, value: V): this {
    const known = this.#entries.get(key);
    if (known === undefined) this.#append({ key, value, older: this.#newest, newer: undefined });
    else known.value = value;
    return this;
  }

  delete(key: string): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    const { older, newer } = entry;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    return this.#entries.delete(key);
  }

  values(): readonly V[] {
    return [...this.#entries.values()].map(({ value }) => value);
  }

  keys(): readonly string[] {
    return [...this.#entries.keys()];
  }

  #append(entry: Entry<V>): void {
    if (this.#newest === undefined) this.#oldest = entry;
    else this.#newest.newer = entry;
    this.#newest = entry;
    this.#entries.set(entry.key, entry);
  }
}
