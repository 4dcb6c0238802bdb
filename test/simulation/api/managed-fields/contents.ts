import { isList, isObject, type Json } from "../json.ts";
import { ANYTHING, fieldShape, type ListShape, type Shape } from "../schema/shape.ts";
import { FieldSet, FieldSetBuilder } from "./field-set.ts";
import { itemElement } from "./path-element.ts";

/** Returns the paths of everything in an object. */
export function fieldsOf(shape: Shape, value: Json): FieldSet {
  const builder = new FieldSetBuilder();
  collect({ builder, path: [] }, shape, value);
  return builder.build();
}

interface Collecting {
  readonly builder: FieldSetBuilder;
  readonly path: readonly string[];
}

function collect({ builder, path }: Collecting, shape: Shape, value: Json): void {
  switch (shape.kind) {
    case "scalar":
      builder.insert(path);
      return;
    case "list":
      if (shape.merges === "atomic") builder.insert(path);
      else collectItems({ builder, path }, shape, isList(value) ? value : []);
      return;
    case "any":
      if (shape.isWhole || !isObject(value)) builder.insert(path);
      else collectMembers({ builder, path }, shape, value);
      return;
    case "map":
    case "object":
      if (shape.isAtomic) builder.insert(path);
      else if (isObject(value)) collectMembers({ builder, path }, shape, value);
  }
}

function collectMembers({ builder, path }: Collecting, shape: Shape, value: { readonly [name: string]: Json }): void {
  for (const [name, member] of Object.entries(value)) {
    const inner = [...path, `f:${name}`];
    const known = shape.kind === "object" ? shape.fields.has(name) : false;
    collect({ builder, path: inner }, memberShapeOf(shape, name), member);
    if (member === null || (isObject(member) && Object.keys(member).length === 0) || !known) builder.insert(inner);
  }
}

export function memberShapeOf(shape: Shape, name: string): Shape {
  if (shape.kind === "object") return fieldShape(shape, name) ?? ANYTHING;
  return shape.kind === "map" ? shape.values : ANYTHING;
}

function collectItems({ builder, path }: Collecting, list: ListShape, items: readonly Json[]): void {
  const elements = items.map((item) => itemElement(list, item));
  const count = new Map<string, number>();
  for (const named of elements) if ("element" in named) count.set(named.element, (count.get(named.element) ?? 0) + 1);
  items.forEach((item, index) => {
    const named = elements[index];
    if (named === undefined || "error" in named) return;
    const inner = [...path, named.element];
    if (count.get(named.element) === 1) collect({ builder, path: inner }, list.items, item);
    builder.insert(inner);
  });
}
