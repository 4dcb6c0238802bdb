import { type Draft, isList, isObject, type Json, type JsonObject, objectAt } from "../json.ts";

/** An OpenAPI schema of a CRD. */
export type Schema = JsonObject;

const TYPE_FIELDS: readonly string[] = ["apiVersion", "kind", "metadata"];

/** Returns the custom resource without the content that its schema does not know, or the same object if there is none. */
export function pruned(object: JsonObject, schema: Schema): JsonObject {
  return withEach(object, (name, value) => (TYPE_FIELDS.includes(name) ? value : prunedMember(schema, name, value)));
}

function prune(value: Json, schema: Schema | undefined): Json {
  if (schema?.["x-kubernetes-preserve-unknown-fields"] === true) return value;
  if (isList(value)) return withEachItem(value, (item) => prune(item, itemsOf(schema)));
  if (!isObject(value)) return value;
  return withEach(value, (name, member) => (schema === undefined ? undefined : prunedMember(schema, name, member)));
}

/** Returns undefined if the schema does not know the member. */
function prunedMember(schema: Schema, name: string, value: Json): Json | undefined {
  if (schema["x-kubernetes-preserve-unknown-fields"] === true) return value;
  const property = objectAt(schema, "properties")[name];
  if (isObject(property)) return prune(value, property);
  const additional = schema["additionalProperties"];
  if (additional === undefined || additional === false) return undefined;
  return prune(value, isObject(additional) ? additional : undefined);
}

/** Removes nulls that the schema does not allow and has no default for. */
export function withoutNulls(object: JsonObject, schema: Schema): JsonObject {
  return withEach(object, (name, value) => (TYPE_FIELDS.includes(name) ? value : withoutNull(value, memberSchema(schema, name))));
}

function withoutNull(value: Json, schema: Schema | undefined): Json | undefined {
  if (value === null) return schema !== undefined && schema["nullable"] !== true && schema["default"] === undefined ? undefined : null;
  if (isList(value)) return withEachItem(value, (item) => (item === null ? null : (withoutNull(item, itemsOf(schema)) ?? null)));
  return isObject(value) ? withEach(value, (name, member) => withoutNull(member, memberSchema(schema, name))) : value;
}

export function memberSchema(schema: Schema | undefined, name: string): Schema | undefined {
  const property = objectAt(schema, "properties")[name];
  if (isObject(property)) return property;
  const additional = schema?.["additionalProperties"];
  return isObject(additional) ? additional : undefined;
}

export function itemsOf(schema: Schema | undefined): Schema | undefined {
  const items = schema?.["items"];
  return isObject(items) ? items : undefined;
}

/** Sets the defaults of the schema. */
export function withSchemaDefaults(value: Json, schema: Schema | undefined): Json {
  if (schema === undefined) return value;
  if (isList(value)) return withEachItem(value, (item) => withSchemaDefaults(item, itemsOf(schema)));
  if (!isObject(value)) return value;
  const missing = Object.entries(objectAt(schema, "properties")).filter(
    ([name, property]) => value[name] === undefined && isObject(property) && property["default"] !== undefined,
  );
  const filled: JsonObject =
    missing.length === 0
      ? value
      : {
          ...value,
          ...Object.fromEntries(missing.map(([name, property]) => [name, objectAt({ property }, "property")["default"] ?? null])),
        };
  return withEach(filled, (name, member) => withSchemaDefaults(member, memberSchema(schema, name)));
}

function withEach(object: JsonObject, change: (name: string, value: Json) => Json | undefined): JsonObject {
  const changed: Draft = {};
  let isChanged = false;
  for (const [name, value] of Object.entries(object)) {
    const after = change(name, value);
    isChanged ||= after !== value;
    if (after !== undefined) changed[name] = after;
  }
  return isChanged ? changed : object;
}

function withEachItem(items: readonly Json[], change: (item: Json) => Json): readonly Json[] {
  const changed = items.map(change);
  return changed.every((item, index) => item === items[index]) ? items : changed;
}
