/**
 * A Map that finds its oldest key at once. A Map leaves a gap where an entry was deleted, and each new iterator passes all gaps from the
 * front: with thousands of entries, that takes longer than all other work on an entry. So the iterator is kept.
 */
export class AgingMap<V> extends Map<string, V> {
  /** It has passed the oldest key. No key before that is left. */
  #walk: Iterator<string> | undefined;
  #oldest: string | undefined;
  /** Number of deletions since the walk began. */
  #deletions = 0;

  get oldest(): string | undefined {
    this.#walk ??= this.keys();
    if (this.size > 0) this.#oldest ??= this.#walk.next().value;
    return this.#oldest;
  }

  override delete(key: string): boolean {
    const isDeleted = super.delete(key);
    this.#deletions += 1;
    // An iterator keeps the tables that the Map has replaced since the iterator last moved.
    if (this.#deletions > this.size) [this.#walk, this.#oldest, this.#deletions] = [undefined, undefined, 0];
    else if (key === this.#oldest) this.#oldest = undefined;
    return isDeleted;
  }
}
