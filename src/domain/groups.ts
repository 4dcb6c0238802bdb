import { AgingMap } from "./aging-map.ts";

/** Values by group and by a key within the group, in the order of insertion. A group without values does not exist. */
export class Groups<V> {
  readonly #groups = new Map<string, AgingMap<V>>();
  #all = 0;

  /** Number of values in all groups. */
  get all(): number {
    return this.#all;
  }

  set(group: string, key: string, value: V): void {
    const values = this.#groups.get(group) ?? new AgingMap<V>();
    if (!values.has(key)) this.#all += 1;
    this.#groups.set(group, values.set(key, value));
  }

  delete(group: string, key: string): void {
    const values = this.#groups.get(group);
    if (values?.delete(key) === true) this.#all -= 1;
    if (values?.size === 0) this.#groups.delete(group);
  }

  get(group: string, key: string): V | undefined {
    return this.#groups.get(group)?.get(key);
  }

  has(group: string): boolean {
    return this.#groups.has(group);
  }

  size(group: string): number {
    return this.#groups.get(group)?.size ?? 0;
  }

  /** The value that was inserted first. */
  first(group: string): V | undefined {
    const values = this.#groups.get(group);
    return values?.oldest === undefined ? undefined : values.get(values.oldest);
  }

  of(group: string): readonly V[] {
    return [...(this.#groups.get(group)?.values() ?? [])];
  }

  keys(group: string): readonly string[] {
    return [...(this.#groups.get(group)?.keys() ?? [])];
  }

  names(): readonly string[] {
    return [...this.#groups.keys()];
  }
}
