import { type Draft, isList, isObject, type Json, type JsonObject } from "../json.ts";
import type { Field, ObjectShape, Shape } from "../schema/shape.ts";
import { DecodeProblem, decodeScalar } from "./scalars.ts";

/**
 * Decodes a built-in object as the API server does with its Go types: drops unknown fields and empty fields, except those that are always written.
 * `before` is a state that was already decoded; parts shared with it are not decoded again.
 * Throws a {@link DecodeProblem} if a value has another type than its field.
 */
export function decode(shape: Shape, value: Json, before?: Json): Json {
  if (value === before) return value;
  switch (shape.kind) {
    case "any":
      return value;
    case "scalar": {
      const scalar = decodeScalar(shape.scalar, value);
      if (scalar instanceof DecodeProblem) throw scalar;
      return scalar;
    }
    case "list":
      return decodeList(shape.items, value, before);
    case "map":
      return decodeMap(shape.values, value, before);
    case "object":
      return decodeObject(shape, value, before);
  }
}

export function decodeObject(shape: ObjectShape, value: Json, before?: Json): JsonObject {
  if (!isObject(value)) throw new DecodeProblem(`json: cannot unmarshal ${typeof value} into Go value of type ${shape.name}`);
  const known = isObject(before) ? before : undefined;
  const decoded: Draft = {};
  let isChanged = false;
  for (const name of Object.keys(value)) {
    const field = shape.fields.get(name);
    const member = value[name];
    const kept = field === undefined || member === undefined ? undefined : decodeMember(field, member, known?.[name]);
    if (kept !== undefined) decoded[name] = kept;
    isChanged ||= kept !== member;
  }
  for (const { name, shape: inner, isPointer } of shownFields(shape)) {
    if (name in decoded) continue;
    decoded[name] = isPointer ? null : zeroOf(inner);
    isChanged = true;
  }
  return isChanged ? decoded : value;
}

/** Returns undefined if the API server does not write the field. */
function decodeMember(field: Field, member: Json, before: Json | undefined): Json | undefined {
  if (member === before) return member;
  if (member === null) return field.isShown ? (field.isPointer ? null : zeroOf(field.shape)) : undefined;
  const value = decode(field.shape, member, before);
  if (field.isPointer || field.isShown || field.shape.kind === "any") return value;
  // An empty list of managers asks for no managers; a missing list asks for nothing.
  if (field.name === "managedFields" && field.shape.kind === "list") return value;
  return isZero(value) ? undefined : value;
}

function decodeList(items: Shape, value: Json, before: Json | undefined): Json {
  if (!isList(value)) throw new DecodeProblem(`json: cannot unmarshal ${typeof value} into Go value of type []`);
  const known = isList(before) ? before : [];
  const decoded = value.map((item, index) => (item === null ? zeroOf(items) : decode(items, item, known[index])));
  return decoded.every((item, index) => item === value[index]) ? value : decoded;
}

function decodeMap(values: Shape, value: Json, before: Json | undefined): Json {
  if (!isObject(value)) throw new DecodeProblem(`json: cannot unmarshal ${typeof value} into Go value of type map`);
  const known = isObject(before) ? before : undefined;
  const decoded: Draft = {};
  const names = Object.keys(value);
  // Go writes maps sorted by key.
  const ordered = names.toSorted();
  let isChanged = names.some((name, index) => name !== ordered[index]);
  for (const name of ordered) {
    const member = value[name];
    if (member === undefined) continue;
    const kept = member === null ? emptyOf(values) : decode(values, member, known?.[name]);
    isChanged ||= kept !== member;
    decoded[name] = kept;
  }
  return isChanged ? decoded : value;
}

/**
 * Returns a decoded object as the store returns it: the store does not distinguish an empty list or map from a missing one. Returns
 * the same object if it has neither.
 */
export function storedForm(shape: Shape, value: Json, before?: Json): Json {
  if (value === before || !hasShownContainers(shape)) return value;
  if (shape.kind === "object" && isObject(value)) return storedObject(shape, value, before);
  if (shape.kind === "list" && isList(value)) {
    const items = value.map((item) => storedForm(shape.items, item));
    return items.every((item, index) => item === value[index]) ? value : items;
  }
  return value;
}

function storedObject(shape: ObjectShape, value: JsonObject, before: Json | undefined): JsonObject {
  const known = isObject(before) ? before : undefined;
  let changed: Draft | undefined;
  for (const { name, shape: inner, isShown, isPointer } of shape.fields.values()) {
    const member = value[name];
    if (member === undefined || member === known?.[name]) continue;
    const isEmptied = isShown && !isPointer && (inner.kind === "list" || inner.kind === "map") && isZero(member);
    const kept = isEmptied ? null : storedForm(inner, member, known?.[name]);
    if (kept !== member) (changed ??= { ...value })[name] = kept;
  }
  return changed ?? value;
}

const containers = new WeakMap<ObjectShape, boolean>();

function hasShownContainers(shape: Shape): boolean {
  if (shape.kind === "list") return hasShownContainers(shape.items);
  if (shape.kind !== "object") return false;
  const known = containers.get(shape);
  if (known !== undefined) return known;
  // Set first, because types contain themselves.
  containers.set(shape, false);
  const answer = [...shape.fields.values()].some(
    ({ isShown, shape: inner }) => (isShown && (inner.kind === "list" || inner.kind === "map")) || hasShownContainers(inner),
  );
  containers.set(shape, answer);
  return answer;
}

const shown = new WeakMap<ObjectShape, readonly Field[]>();

function shownFields(shape: ObjectShape): readonly Field[] {
  const known = shown.get(shape);
  if (known !== undefined) return known;
  const fields = [...shape.fields.values()].filter(({ isShown }) => isShown);
  shown.set(shape, fields);
  return fields;
}

const zeros = new WeakMap<ObjectShape, JsonObject>();

/** Returns the value that Go writes for a field that is not set. */
export function zeroOf(shape: Shape): Json {
  switch (shape.kind) {
    case "scalar":
      return zeroScalar(shape.scalar);
    case "object": {
      const known = zeros.get(shape) ?? decodeObject(shape, {});
      zeros.set(shape, known);
      return known;
    }
    case "any":
    case "list":
    case "map":
      return null;
  }
}

function zeroScalar(scalar: string): Json {
  switch (scalar) {
    case "bool":
      return false;
    case "int":
    case "number":
    case "int-or-string":
      return 0;
    case "quantity":
      return "0";
    case "string":
      return "";
    default:
      return null;
  }
}

function emptyOf(shape: Shape): Json {
  return shape.kind === "scalar" && shape.scalar === "bytes" ? "" : zeroOf(shape);
}

function isZero(value: Json): boolean {
  if (value === "" || value === 0 || value === false || value === null) return true;
  if (isList(value)) return value.length === 0;
  return isObject(value) && Object.keys(value).length === 0;
}
