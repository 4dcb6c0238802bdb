/** Results for the most recently requested texts, up to a maximum number. */
export class RecentCache<V extends object> {
  /** The most recently requested ones are at the end. */
  readonly #made = new Map<string, V>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  getOrCreate(text: string, create: () => V): V {
    const made = this.#made.get(text) ?? create();
    this.#made.delete(text);
    this.#made.set(text, made);
    const [oldest] = this.#made.keys();
    if (oldest !== undefined && this.#made.size > this.#most) this.#made.delete(oldest);
    return made;
  }
}
