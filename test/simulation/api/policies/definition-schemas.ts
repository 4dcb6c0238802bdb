import { readManifests } from "../../../support/cluster/shipped-manifests.ts";
import { isEqual, isObject, type Json, type JsonObject, objectAt, stringAt } from "../json.ts";
import { objectsAt } from "./policy.ts";

const PRESERVES = "x-kubernetes-preserve-unknown-fields";

/** A schema that differs from the one before. */
export interface SchemaChange {
  /** For example `spec.secretObjects[].labels.*`. */
  readonly path: string;
  readonly now: JsonObject;
  readonly before: JsonObject;
  /** Key of the nested schemas to check next; undefined to check none. */
  readonly walks?: Walk;
}

type Walk = "properties" | "items" | "additionalProperties";

/** Fields that a written definition must contain, by path. */
export type RequiredFields = Readonly<Record<string, readonly string[]>>;

export interface ShippedDefinition {
  readonly names: JsonObject;
  readonly versions: ReadonlyMap<string, JsonObject>;
  /** Schemas by path, without descriptions and nested schemas. */
  readonly schemas: ReadonlyMap<string, JsonObject>;
}

/** The shipped CRDs by name. */
export const SHIPPED_DEFINITIONS: ReadonlyMap<string, ShippedDefinition> = new Map(
  ["secretproviderclasses", "secretproviderclasspodstatuses", "secretproviderclasssyncs"].flatMap((file) =>
    readManifests(`crds/${file}.yaml`).map(({ metadata, ...rest }) => [metadata.name, shipped(rest["spec"] as JsonObject)] as const),
  ),
);

function shipped(spec: JsonObject): ShippedDefinition {
  const versions = objectsAt(spec, "versions");
  const schemas = new Map<string, JsonObject>();
  for (const version of versions) note(schemas, "", schemaOf(version));
  return { names: objectAt(spec, "names"), versions: new Map(versions.map((version) => [nameOf(version), version])), schemas };
}

function note(schemas: Map<string, JsonObject>, path: string, schema: JsonObject): void {
  const { description: _description, title: _title, properties, items, additionalProperties, ...rest } = schema;
  schemas.set(path, rest);
  for (const [name, field] of Object.entries(isObject(properties) ? properties : {}))
    if (path !== "" || isPart(name)) note(schemas, path === "" ? name : `${path}.${name}`, isObject(field) ? field : {});
  if (isObject(items)) note(schemas, `${path}[]`, items);
  if (isObject(additionalProperties)) note(schemas, `${path}.*`, additionalProperties);
}

function isPart(name: string): boolean {
  return name === "spec" || name === "status";
}

export function nameOf(version: JsonObject): string {
  return stringAt(version, "name") ?? "";
}

function schemaOf(version: JsonObject): JsonObject {
  return objectAt(objectAt(version, "schema"), "openAPIV3Schema");
}

const isChanged = ({ now, before }: SchemaChange): boolean => !isEqual(now, before);

/** Returns the changed schemas of whole versions that we ship. */
export function changedVersions(now: JsonObject, before: JsonObject, { versions }: ShippedDefinition): readonly SchemaChange[] {
  return objectsAt(now, "versions")
    .filter((version) => versions.has(nameOf(version)))
    .map((version): SchemaChange => {
      const old = objectsAt(before, "versions").find((candidate) => nameOf(candidate) === nameOf(version));
      return { path: "", now: schemaOf(version), before: schemaOf(old ?? {}), walks: "properties" };
    })
    .filter(isChanged);
}

/** Returns the changes and those of nested schemas, as deep as the shipped definitions go. */
export function changedSchemas(roots: readonly SchemaChange[]): readonly SchemaChange[] {
  const parts = roots.flatMap((root) => membersOf(root).filter(({ path }) => isPart(path.slice(1)))).map(asPart);
  const gone = roots.flatMap(({ now, before }) =>
    ["spec", "status"]
      .filter((name) => !(name in objectAt(now, "properties")))
      .map((path): SchemaChange => ({ path, now: {}, before: objectAt(objectAt(before, "properties"), path), walks: "properties" }))
      .filter(isChanged),
  );
  const members = parts.flatMap(membersOf);
  const values = members.flatMap(valuesOf);
  const innerMembers = values.flatMap(membersOf);
  const innerValues = innerMembers.flatMap(valuesOf);
  const leaves = innerValues.flatMap(membersOf).map(({ walks: _walks, ...leaf }): SchemaChange => leaf);
  return [...roots, ...parts, ...gone, ...members, ...values, ...innerMembers, ...innerValues, ...leaves];
}

const asPart = ({ path, ...part }: SchemaChange): SchemaChange => ({ ...part, path: path.slice(1), walks: "properties" });

function membersOf({ path, now, before }: SchemaChange): readonly SchemaChange[] {
  const fields = objectAt(now, "properties");
  return Object.keys(fields)
    .map((name): SchemaChange => {
      const field = objectAt(fields, name);
      return { path: `${path}.${name}`, now: field, before: objectAt(objectAt(before, "properties"), name), walks: walkOf(field) };
    })
    .filter(isChanged);
}

function walkOf(schema: JsonObject): Walk {
  if ("items" in schema) return "items";
  return isObject(schema["additionalProperties"]) ? "additionalProperties" : "properties";
}

function valuesOf(change: SchemaChange): readonly SchemaChange[] {
  const { path, now, before, walks } = change;
  if (walks !== "items" && walks !== "additionalProperties") return [change];
  const inner = `${path}${walks === "items" ? "[]" : ".*"}`;
  return [{ path: inner, now: objectAt(now, walks), before: objectAt(before, walks), walks: "properties" } as const].filter(isChanged);
}

/** Whether the fields other than spec and status are as before, or as in every definition. */
export function keepsOtherParts({ now, before }: SchemaChange): boolean {
  const old = objectAt(before, "properties");
  return Object.entries(objectAt(now, "properties")).every(
    ([name, field]) => isPart(name) || isEqual(field, old[name]) || isUsual(name, isObject(field) ? field : {}, objectAt(old, name)),
  );
}

function isUsual(name: string, field: JsonObject, old: JsonObject): boolean {
  const type = name === "metadata" ? "object" : "string";
  return (
    ["apiVersion", "kind", "metadata"].includes(name) &&
    Object.entries(field).every(([key, value]) => key === "description" || isEqual(value, old[key]) || (key === "type" && value === type))
  );
}

/** Whether every rule was there before or is shipped. Descriptions can change, and unknown new fields can have any type. */
export function addsNoRule({ path, now, before, walks }: SchemaChange, { schemas }: ShippedDefinition): boolean {
  const ours = schemas.get(path);
  const isNew = ours === undefined && isEqual(before, {});
  const isKnown = (key: string, value: Json): boolean => isEqual(value, before[key]) || isEqual(value, ours?.[key]);
  return Object.entries(now).every(
    ([key, value]) => key === "description" || key === "title" || key === walks || isKnown(key, value) || (key === "type" && isNew),
  );
}

/** Whether everything from before is still there, except the parts that healing removes. */
export function losesNothing({ path, now, before }: SchemaChange, { schemas }: ShippedDefinition): boolean {
  const ours = schemas.get(path);
  const fields = objectAt(now, "properties");
  const isKept = (key: string): boolean => {
    if (key === "description" || key === "title" || (key === "default" && ours !== undefined)) return true;
    if (key !== "properties") return key in now;
    return schemas.has(`${path}.*`) || Object.keys(objectAt(before, key)).every((field) => field in fields);
  };
  const isReplaced = ours !== undefined && (path.endsWith(".*") || ours["type"] !== (before["type"] ?? ""));
  return isReplaced || Object.keys(before).every(isKept);
}

export function hasWhatIsShipped({ path, now }: SchemaChange, { schemas }: ShippedDefinition, required: RequiredFields): boolean {
  const fields = objectAt(now, "properties");
  return (
    now[PRESERVES] === true ||
    ((required[path] ?? []).every((field) => field in fields) &&
      (!schemas.has(`${path}.*`) || "additionalProperties" in now) &&
      (!schemas.has(`${path}[]`) || "items" in now))
  );
}
