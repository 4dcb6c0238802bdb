import type { Stored } from "./stored.ts";

/** A change of one object. `before` is absent for an addition, `after` for a deletion. */
export interface Change {
  readonly version: number;
  /** Unix milliseconds. */
  readonly time: number;
  readonly before: Stored | undefined;
  readonly after: Stored | undefined;
}

/** The objects of one resource in all namespaces, with the changes that are still remembered. */
export class Collection {
  readonly name: string;
  readonly #objects: Map<string, Stored>;
  readonly #byNamespace = new Map<string, Map<string, Stored>>();
  readonly #listeners = new Set<(change: Change) => void>();
  #changes: Change[] = [];
  /** Index of the first change that is not forgotten. */
  #firstChange = 0;
  #sorted: readonly string[] | undefined;
  /** Cached until the next change, because clients repeat most lists before it. */
  #listed: readonly Stored[] | undefined;

  constructor(name: string, objects: Iterable<Stored> = []) {
    this.name = name;
    this.#objects = new Map();
    for (const object of objects) this.#set(object);
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): Stored | undefined {
    return this.#objects.get(key);
  }

  /** Returns the objects sorted by key, as in etcd. */
  list(namespace?: string): readonly Stored[] {
    if (namespace === undefined) {
      this.#sorted ??= [...this.#objects.keys()].sort();
      this.#listed ??= this.#sorted.flatMap((key) => this.#objects.get(key) ?? []);
      return this.#listed;
    }
    const inNamespace = this.#byNamespace.get(namespace);
    return inNamespace === undefined ? [] : [...inNamespace.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  /** Returns every object, in any order. */
  values(): Iterable<Stored> {
    return this.#objects.values();
  }

  apply(change: Change): void {
    if (change.after === undefined && change.before !== undefined) this.#delete(change.before);
    if (change.after !== undefined) this.#set(change.after);
    this.#changes.push(change);
    for (const listener of this.#listeners) listener(change);
  }

  /** Calls the listener with every later change, in order. Returns a function that ends this. */
  onChange(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Returns the remembered changes after the version. */
  changesAfter(version: number): readonly Change[] {
    let low = this.#firstChange;
    let high = this.#changes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#changes[middle]?.version ?? 0) <= version) low = middle + 1;
      else high = middle;
    }
    return this.#changes.slice(low);
  }

  /** Returns the collection at a version after which all changes are remembered. */
  listAt(version: number, namespace?: string): readonly Stored[] {
    const then = new Map<string, Stored | undefined>();
    for (const { before, after } of this.changesAfter(version).toReversed()) then.set(before?.key ?? after?.key ?? "", before);
    const isWanted = (object: Stored): boolean => namespace === undefined || object.namespace === namespace;
    const unchanged = this.list(namespace).filter(({ key }) => !then.has(key));
    const changed = [...then.values()].flatMap((object) => (object !== undefined && isWanted(object) ? [object] : []));
    return [...unchanged, ...changed].sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  /** Forgets changes up to the version. */
  forget(version: number): void {
    while ((this.#changes[this.#firstChange]?.version ?? Number.POSITIVE_INFINITY) <= version) this.#firstChange++;
    // Removes many changes at once, which is faster.
    if (this.#firstChange < 1_024 || this.#firstChange * 2 < this.#changes.length) return;
    this.#changes = this.#changes.slice(this.#firstChange);
    this.#firstChange = 0;
  }

  #set(object: Stored): void {
    this.#listed = undefined;
    if (!this.#objects.has(object.key)) this.#sorted = undefined;
    this.#objects.set(object.key, object);
    if (object.namespace === undefined) return;
    const inNamespace = this.#byNamespace.get(object.namespace) ?? new Map<string, Stored>();
    inNamespace.set(object.key, object);
    this.#byNamespace.set(object.namespace, inNamespace);
  }

  #delete(object: Stored): void {
    this.#sorted = undefined;
    this.#listed = undefined;
    this.#objects.delete(object.key);
    const inNamespace = object.namespace === undefined ? undefined : this.#byNamespace.get(object.namespace);
    inNamespace?.delete(object.key);
    if (inNamespace?.size === 0) this.#byNamespace.delete(object.namespace ?? "");
  }
}
