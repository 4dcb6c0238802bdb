/** Values by the group that they belong to and a key within it, in the order in which they came. A group without values is none. */
export class Groups<V> {
  readonly #groups = new Map<string, Map<string, V>>();

  set(group: string, key: string, value: V): void {
    const values = this.#groups.get(group) ?? new Map<string, V>();
    this.#groups.set(group, values.set(key, value));
  }

  delete(group: string, key: string): void {
    const values = this.#groups.get(group);
    values?.delete(key);
    if (values?.size === 0) this.#groups.delete(group);
  }

  get(group: string, key: string): V | undefined {
    return this.#groups.get(group)?.get(key);
  }

  has(group: string): boolean {
    return this.#groups.has(group);
  }

  of(group: string): readonly V[] {
    return [...(this.#groups.get(group)?.values() ?? [])];
  }

  names(): readonly string[] {
    return [...this.#groups.keys()];
  }
}
