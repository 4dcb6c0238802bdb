/** What was made of the texts that were asked for last, for so many of them. */
export class RecentCache<V extends object> {
  /** Those asked for last at the end. */
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
