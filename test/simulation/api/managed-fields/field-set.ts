import { isObject, type Json, type JsonObject } from "../json.ts";

/**
 * A set of paths into an object, as in `fieldsV1` of managedFields: a tree with the edges `f:<field>`, `k:<key of a list item>`,
 * `v:<value of a set>`, and `i:<index>`. A set never changes. `union` and the differences return their first operand if they change nothing.
 */
export class FieldSet {
  static readonly EMPTY = new FieldSet(new Set(), new Map());
  readonly members: ReadonlySet<string>;
  readonly children: ReadonlyMap<string, FieldSet>;
  #encoded: JsonObject | undefined;

  constructor(members: ReadonlySet<string>, children: ReadonlyMap<string, FieldSet>) {
    this.members = members;
    this.children = children;
  }

  get isEmpty(): boolean {
    if (this.members.size > 0) return false;
    for (const child of this.children.values()) if (!child.isEmpty) return false;
    return true;
  }

  /** `from`: number of path elements that lead to this set. */
  has(path: readonly string[], from = 0): boolean {
    const element = path[from];
    if (element === undefined) return false;
    if (from === path.length - 1) return this.members.has(element);
    return this.children.get(element)?.has(path, from + 1) === true;
  }

  under(element: string): FieldSet {
    return this.children.get(element) ?? FieldSet.EMPTY;
  }

  union(other: FieldSet): FieldSet {
    if (other === this || other.isEmpty) return this;
    let members: Set<string> | undefined;
    for (const member of other.members) if (!this.members.has(member)) (members ??= new Set(this.members)).add(member);
    let children: Map<string, FieldSet> | undefined;
    for (const [element, theirs] of other.children) {
      const ours = this.children.get(element);
      const both = ours === undefined ? theirs : ours.union(theirs);
      if (both !== ours) (children ??= new Map(this.children)).set(element, both);
    }
    return this.#changed(members, children);
  }

  intersection(other: FieldSet): FieldSet {
    const members = new Set([...this.members].filter((member) => other.members.has(member)));
    const children = new Map<string, FieldSet>();
    for (const [element, ours] of this.children) {
      const theirs = other.children.get(element);
      const both = theirs === undefined ? FieldSet.EMPTY : ours.intersection(theirs);
      if (!both.isEmpty) children.set(element, both);
    }
    return new FieldSet(members, children);
  }

  /** Removes exactly the other set's members. Paths below them stay. */
  difference(other: FieldSet): FieldSet {
    return this.#without(other, false);
  }

  /** Removes the other set's members and everything below them. */
  recursiveDifference(other: FieldSet): FieldSet {
    return this.#without(other, true);
  }

  #without(other: FieldSet, isRecursive: boolean): FieldSet {
    if (other.members.size === 0 && other.children.size === 0) return this;
    let members: Set<string> | undefined;
    for (const member of other.members) if (this.members.has(member)) (members ??= new Set(this.members)).delete(member);
    let children: Map<string, FieldSet> | undefined;
    for (const [element, ours] of this.children) {
      const left = isRecursive && other.members.has(element) ? FieldSet.EMPTY : ours.#without(other.under(element), isRecursive);
      if (left === ours) continue;
      children ??= new Map(this.children);
      if (left.isEmpty) children.delete(element);
      else children.set(element, left);
    }
    return this.#changed(members, children);
  }

  #changed(members: ReadonlySet<string> | undefined, children: ReadonlyMap<string, FieldSet> | undefined): FieldSet {
    return members === undefined && children === undefined ? this : new FieldSet(members ?? this.members, children ?? this.children);
  }

  /** Returns all paths. Each level is sorted, with the members before the paths below them. */
  paths(): readonly (readonly string[])[] {
    const own = [...this.members].sort().map((member) => [member]);
    const below = [...this.children].sort(([a], [b]) => (a < b ? -1 : 1));
    return [...own, ...below.flatMap(([element, child]) => child.paths().map((path) => [element, ...path]))];
  }

  /** Returns the set as `fieldsV1`. The result is cached, because most writes leave most sets as they are. */
  encode(): JsonObject {
    this.#encoded ??= this.#encode();
    return this.#encoded;
  }

  #encode(): JsonObject {
    const elements = [...new Set([...this.members, ...this.children.keys()])].sort();
    return Object.fromEntries(
      elements.map((element) => {
        const child = this.children.get(element);
        if (child === undefined) return [element, {}];
        return [element, this.members.has(element) ? { ".": {}, ...child.encode() } : child.encode()];
      }),
    );
  }

  static decode(fields: Json | undefined): FieldSet {
    if (!isObject(fields)) return FieldSet.EMPTY;
    const members = new Set<string>();
    const children = new Map<string, FieldSet>();
    for (const [element, inner] of Object.entries(fields)) {
      if (element === "." || !/^[fkvi]:/.test(element)) continue;
      const child = FieldSet.decode(inner);
      const hasChildren = child.members.size > 0 || child.children.size > 0;
      if (hasChildren) children.set(element, child);
      if (!hasChildren || (isObject(inner) && "." in inner)) members.add(element);
    }
    return new FieldSet(members, children);
  }
}

/** Builds a set path by path. */
export class FieldSetBuilder {
  readonly #members = new Set<string>();
  readonly #children = new Map<string, FieldSetBuilder>();

  get isEmpty(): boolean {
    return this.#members.size === 0 && this.#children.size === 0;
  }

  /** `from`: number of path elements that lead to this set. */
  insert(path: readonly string[], from = 0): void {
    const element = path[from];
    if (element === undefined) return;
    if (from === path.length - 1) this.#members.add(element);
    else this.#child(element).insert(path, from + 1);
  }

  #child(element: string): FieldSetBuilder {
    const known = this.#children.get(element);
    if (known !== undefined) return known;
    const made = new FieldSetBuilder();
    this.#children.set(element, made);
    return made;
  }

  build(): FieldSet {
    if (this.isEmpty) return FieldSet.EMPTY;
    const children = new Map<string, FieldSet>();
    for (const [element, child] of this.#children) children.set(element, child.build());
    return new FieldSet(this.#members, children);
  }
}

/** Returns a set of paths that consist of field names, such as `metadata.labels`. */
export function fieldsNamed(...paths: readonly string[]): FieldSet {
  const builder = new FieldSetBuilder();
  for (const path of paths) builder.insert(path.split(".").map((name) => `f:${name}`));
  return builder.build();
}
