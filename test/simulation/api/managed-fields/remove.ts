import { type Draft, isList, isObject, type Json, type JsonObject } from "../json.ts";
import type { ListShape, Shape } from "../schema/shape.ts";
import { memberShapeOf } from "./contents.ts";
import { FieldSet } from "./field-set.ts";
import { itemElement } from "./path-element.ts";

/** Removes the fields of the set. An object or list without content becomes null, as in Go. */
export function remove(shape: Shape, value: Json, fields: FieldSet): Json {
  if (fields.members.size === 0 && fields.children.size === 0) return value;
  switch (shape.kind) {
    case "scalar":
      return value;
    case "list":
      return isList(value) ? removeItems(shape, value, fields) : value;
    case "any":
      // A list of unknown type is a whole, so no path leads to a part of it.
      return isObject(value) && !shape.isWhole ? removeMembers(shape, value, fields) : value;
    case "map":
    case "object":
      return isObject(value) && !shape.isAtomic ? removeMembers(shape, value, fields) : emptied(value);
  }
}

/** A path into an atomic object leaves nothing of it. */
function emptied(value: Json): Json {
  return isObject(value) ? null : value;
}

function removeMembers(shape: Shape, value: JsonObject, fields: FieldSet): Json {
  const kept: Draft = {};
  for (const [name, member] of Object.entries(value)) {
    const element = `f:${name}`;
    if (fields.members.has(element)) continue;
    const below = fields.under(element);
    kept[name] = below.isEmpty ? member : remove(memberShapeOf(shape, name), member, below);
  }
  return Object.keys(kept).length === 0 ? null : kept;
}

function removeItems(list: ListShape, items: readonly Json[], fields: FieldSet): Json {
  if (list.merges === "atomic") return null;
  const kept = items.flatMap((item) => {
    const named = itemElement(list, item);
    if ("error" in named) return [item];
    if (fields.members.has(named.element)) return [];
    const below = fields.under(named.element);
    return [below.isEmpty ? item : remove(list.items, item, below)];
  });
  return kept.length === 0 ? null : kept;
}

/** Adds every named field that has paths below it: `remove` deletes an emptied field only if it is a member. */
export function withNamedFields(shape: Shape | undefined, fields: FieldSet): FieldSet {
  let members: Set<string> | undefined;
  const children = new Map<string, FieldSet>();
  for (const [element, below] of fields.children) {
    if (isNamedField(shape, element) && !fields.members.has(element)) (members ??= new Set(fields.members)).add(element);
    children.set(element, withNamedFields(shapeBelow(shape, element), below));
  }
  return new FieldSet(members ?? fields.members, children);
}

function isNamedField(shape: Shape | undefined, element: string): boolean {
  return shape?.kind === "object" && element.startsWith("f:") && shape.fields.has(element.slice(2));
}

function shapeBelow(shape: Shape | undefined, element: string): Shape | undefined {
  if (shape === undefined) return undefined;
  if (element.startsWith("f:")) return shape.kind === "list" ? undefined : memberShapeOf(shape, element.slice(2));
  return element.startsWith("k:") && shape.kind === "list" ? shape.items : undefined;
}
