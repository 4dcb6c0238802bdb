import { isEqual, isList, isObject, type Json } from "../json.ts";
import type { ListShape, Shape } from "../schema/shape.ts";
import { memberShapeOf } from "./contents.ts";
import { FieldSet, FieldSetBuilder } from "./field-set.ts";
import { itemElement } from "./path-element.ts";

/** Difference between two states of an object, path by path. */
export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

const SAME: Comparison = { added: FieldSet.EMPTY, modified: FieldSet.EMPTY, removed: FieldSet.EMPTY };

export function compare(shape: Shape, before: Json, after: Json): Comparison {
  if (before === after) return SAME;
  const comparer = new Comparer();
  comparer.compare(shape, before, after);
  return comparer.result;
}

/** Removes the paths of the filter, and everything below them. */
export function filtered(comparison: Comparison, ignored: FieldSet | undefined): Comparison {
  if (ignored === undefined) return comparison;
  const { added, modified, removed } = comparison;
  return {
    added: added.recursiveDifference(ignored),
    modified: modified.recursiveDifference(ignored),
    removed: removed.recursiveDifference(ignored),
  };
}

class Comparer {
  readonly #added = new FieldSetBuilder();
  readonly #modified = new FieldSetBuilder();
  readonly #removed = new FieldSetBuilder();
  readonly #path: string[] = [];

  get result(): Comparison {
    return { added: this.#added.build(), modified: this.#modified.build(), removed: this.#removed.build() };
  }

  /** Compares two values; undefined means absent. Does not compare the content of a value that is compared as a whole. */
  compare(shape: Shape, before: Json | undefined, after: Json | undefined): void {
    if (before === after) return;
    if (isLeaf(shape, before, after)) this.#leaf(before, after);
    else {
      this.#inside(shape, before, after);
      if (before === undefined) this.#added.insert(this.#path);
      else if (after === undefined) this.#removed.insert(this.#path);
    }
  }

  #leaf(before: Json | undefined, after: Json | undefined): void {
    if (before === undefined) this.#added.insert(this.#path);
    else if (after === undefined) this.#removed.insert(this.#path);
    else if (!isEqual(before, after)) this.#modified.insert(this.#path);
  }

  #inside(shape: Shape, before: Json | undefined, after: Json | undefined): void {
    if (shape.kind === "list") this.#items(shape, isList(before) ? before : [], isList(after) ? after : []);
    else this.#members(shape, before, after);
  }

  #members(shape: Shape, before: Json | undefined, after: Json | undefined): void {
    const old = isObject(before) ? before : {};
    const now = isObject(after) ? after : {};
    for (const name of Object.keys(old)) this.#at(`f:${name}`, memberShapeOf(shape, name), old[name], now[name]);
    for (const name of Object.keys(now)) if (!(name in old)) this.#at(`f:${name}`, memberShapeOf(shape, name), undefined, now[name]);
  }

  // oxlint-disable-next-line eslint/max-params -- one step of a walk, taken very often.
  #at(element: string, shape: Shape, before: Json | undefined, after: Json | undefined): void {
    this.#path.push(element);
    this.compare(shape, before, after);
    this.#path.pop();
  }

  #items(list: ListShape, before: readonly Json[], after: readonly Json[]): void {
    const old = grouped(list, before);
    const now = grouped(list, after);
    for (const [element, items] of old) this.#item(list, element, items, now.get(element) ?? []);
    for (const [element, items] of now) if (!old.has(element)) this.#item(list, element, [], items);
  }

  /** Compares several items with the same key only as a whole. */
  // oxlint-disable-next-line eslint/max-params -- as above.
  #item(list: ListShape, element: string, before: readonly Json[], after: readonly Json[]): void {
    if (before.length <= 1 && after.length <= 1) {
      this.#at(element, list.items, before[0], after[0]);
      return;
    }
    const path = [...this.#path, element];
    if (before.length > 1 && after.length > 1) {
      if (!isEqual(before, after)) this.#modified.insert(path);
    } else if (before.length > 1) {
      if (after[0] !== undefined) this.#at(element, list.items, undefined, after[0]);
      this.#removed.insert(path);
    } else {
      if (before[0] !== undefined) this.#at(element, list.items, before[0], undefined);
      this.#added.insert(path);
    }
  }
}

function grouped(list: ListShape, items: readonly Json[]): Map<string, Json[]> {
  const byElement = new Map<string, Json[]>();
  for (const item of items) {
    const named = itemElement(list, item);
    if ("error" in named) continue;
    const same = byElement.get(named.element);
    if (same === undefined) byElement.set(named.element, [item]);
    else same.push(item);
  }
  return byElement;
}

/** Whether two values are compared as a whole: scalars, atomic lists and maps, and values that are both empty. */
export function isLeaf(shape: Shape, before: Json | undefined, after: Json | undefined): boolean {
  switch (shape.kind) {
    case "scalar":
      return true;
    case "any":
      return shape.isWhole || !(isContent(before) || isContent(after));
    case "list":
      return shape.merges === "atomic" || (isBlank(before) && isBlank(after));
    case "map":
    case "object":
      return shape.isAtomic || (isBlank(before) && isBlank(after));
  }
}

/** Whether the value is an object with members. Without a known type, only such a value is compared member by member. */
function isContent(value: Json | undefined): boolean {
  return isObject(value) && Object.keys(value).length > 0;
}

function isBlank(value: Json | undefined): boolean {
  if (value === undefined || value === null) return true;
  return isList(value) ? value.length === 0 : isObject(value) && Object.keys(value).length === 0;
}
