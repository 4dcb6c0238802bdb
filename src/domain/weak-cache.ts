/**
 * Caches a value for an object as long as the object lives. The key object must not change, because the cache compares only its identity.
 */
export class WeakCache<K extends WeakKey, V> {
  readonly #made = new WeakMap<K, V>();

  has(key: K): boolean {
    return this.#made.has(key);
  }

  get(key: K): V | undefined {
    return this.#made.get(key);
  }

  getOrCreate(key: K, create: () => V): V {
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const made = create();
    this.#made.set(key, made);
    return made;
  }
}
