import { decodeObject } from "../codec/decode.ts";
import { isObject, type JsonObject, listAt, objectAt, stringAt, withMember } from "../json.ts";
import type { Kind, Subresource } from "../kind.ts";
import { byContent, firstGeneration, keeping, raised } from "../kinds/preparing.ts";
import { fieldsNamed } from "../managed-fields/field-set.ts";
import type { Cause } from "../refusal.ts";
import { customShape } from "../schema/crd-shape.ts";
import { shapeNamed } from "../schema/shapes.ts";
import { metadataCauses, metadataChangeCauses } from "../validation/metadata.ts";
import { isSubdomain } from "../validation/names.ts";
import { pruned, type Schema, withoutNulls, withSchemaDefaults } from "./pruning.ts";
import { schemaCauses, twinCauses } from "./schema-causes.ts";

const METADATA = shapeNamed("meta.ObjectMeta");

/** Returns a kind for each version that a CRD serves, with its current schema. */
export function customKinds(crd: JsonObject): readonly Kind[] {
  const spec = objectAt(crd, "spec");
  const versions = listAt(spec, "versions").filter(isObject);
  return versions.filter((version) => version["served"] === true).map((version) => customKind({ spec, version, versions }));
}

interface Definition {
  readonly spec: JsonObject;
  readonly version: JsonObject;
  readonly versions: readonly JsonObject[];
}

function customKind({ spec, version, versions }: Definition): Kind {
  const group = stringAt(spec, "group") ?? "";
  const names = objectAt(spec, "names");
  const name = stringAt(version, "name") ?? "";
  const plural = stringAt(names, "plural") ?? "";
  const kind = stringAt(names, "kind") ?? "";
  const apiVersion = `${group}/${name}`;
  const schema = objectAt(objectAt(version, "schema"), "openAPIV3Schema");
  const hasStatus = objectAt(version, "subresources")["status"] !== undefined;
  const storage =
    stringAt(
      versions.find((candidate) => candidate["storage"] === true),
      "name",
    ) ?? name;
  const known = new Set(versions.map((candidate) => `${group}/${stringAt(candidate, "name")}`));
  const content: Content = { schema, hasStatus, typed: { apiVersion, kind } };
  const views = new WeakMap<JsonObject, JsonObject>();
  return {
    group,
    version: name,
    plural,
    kind,
    namespaced: spec["scope"] === "Namespaced",
    apiVersion,
    collection: `${plural}.${group}`,
    shape: customShape(schema),
    isCustom: true,
    hasStatus,
    createsByUpdate: false,
    needsVersion: true,
    returnsDeleted: false,
    hasNoDependents: false,
    blank: { apiVersion, kind },
    fieldLabels: {},
    ignoredFields: (subresource) => (hasStatus ? (subresource === "status" ? OF_STATUS : OF_OBJECT) : undefined),
    isKnownVersion: (candidate) => known.has(candidate),
    read: (body) => read(content, body),
    complete: (object) => withSchemaDefaults(withAppliedMetadata(object), schema) as JsonObject, // The result for an object is an object.
    view: (stored) => {
      const seen = views.get(stored);
      if (seen !== undefined) return seen;
      const view = read(content, { ...stored, apiVersion });
      views.set(stored, view);
      return view;
    },
    // A conversion to another version decodes the object, which removes empty fields of the metadata.
    store: (object) => (name === storage ? object : withMember(withReadMetadata(object), "apiVersion", `${group}/${storage}`)),
    prepareCreate: (object) => firstGeneration(hasStatus ? withMember(object, "status", undefined) : object),
    prepareUpdate: (object, old, subresource) => prepareUpdate(content, { object, old, subresource }),
    createCauses: (object) => {
      const wrong = typeCauses(content, object);
      return wrong.length > 0 ? wrong : [...metadataCauses(object, RULES), ...allCauses(content, object)];
    },
    updateCauses: (object, old, subresource) => updateCauses(content, { object, old, subresource }),
  };
}

const RULES = { name: isSubdomain, checksFinalizerNames: false };
const OF_STATUS = fieldsNamed("metadata", "spec");
const OF_OBJECT = fieldsNamed("status");

interface Content {
  readonly schema: Schema;
  readonly hasStatus: boolean;
  readonly typed: { readonly apiVersion: string; readonly kind: string };
}

/** Cuts the object to the schema and sets the defaults. Decodes the metadata like that of every kind. */
function read({ schema }: Content, body: JsonObject): JsonObject {
  const typed = withReadMetadata(body);
  return withSchemaDefaults(withoutNulls(pruned(typed, schema), schema), schema) as JsonObject; // As above.
}

function withReadMetadata(object: JsonObject): JsonObject {
  const decoded = decodeObject(METADATA, objectAt(object, "metadata"));
  // Custom resources have no Go type, so an empty list of managers counts as none.
  const metadata = listAt(decoded, "managedFields").length === 0 ? withMember(decoded, "managedFields", undefined) : decoded;
  return metadata === object["metadata"] ? object : { ...object, metadata };
}

const CONTAINERS = ["labels", "annotations", "finalizers", "ownerReferences"];

/** Keeps empty fields of applied metadata. An apply in the storage version stores them, although no answer shows them. */
function withAppliedMetadata(object: JsonObject): JsonObject {
  const read = withReadMetadata(object);
  const given = objectAt(object, "metadata");
  const metadata = objectAt(read, "metadata");
  const empty = CONTAINERS.filter((name) => given[name] !== undefined && metadata[name] === undefined);
  return empty.length === 0
    ? read
    : { ...read, metadata: { ...metadata, ...Object.fromEntries(empty.map((name) => [name, given[name] ?? null])) } };
}

interface Update {
  readonly object: JsonObject;
  readonly old: JsonObject;
  readonly subresource: Subresource;
}

function prepareUpdate({ hasStatus }: Content, { object, old, subresource }: Update): JsonObject {
  if (subresource === "status") {
    const resourceVersion = objectAt(object, "metadata")["resourceVersion"];
    const metadata = withMember(objectAt(old, "metadata"), "resourceVersion", resourceVersion);
    return withMember({ ...old, metadata }, "status", object["status"]);
  }
  return raised(hasStatus ? keeping(object, old, "status") : object, old, byContent);
}

function updateCauses(content: Content, { object, old, subresource }: Update): readonly Cause[] {
  const wrong = typeCauses(content, object);
  if (wrong.length > 0) return wrong;
  const changed = metadataChangeCauses(object, old, false);
  if (subresource === "") return [...changed, ...allCauses(content, object)];
  const schema = objectAt(objectAt(content.schema, "properties"), "status");
  const status = object["status"];
  return [
    ...changed,
    ...(status === undefined ? [] : schemaCauses(status, schema, { prefix: "status", path: "" })),
    ...twinCauses(object, content.schema, ""),
  ];
}

function typeCauses({ typed }: Content, object: JsonObject): readonly Cause[] {
  return (["kind", "apiVersion"] as const).flatMap((name) =>
    object[name] === typed[name]
      ? []
      : [{ reason: "FieldValueInvalid", message: `Invalid value: ${JSON.stringify(object[name])}: must be ${typed[name]}`, field: name }],
  );
}

function allCauses({ schema }: Content, object: JsonObject): readonly Cause[] {
  return [...schemaCauses(object, schema, { prefix: "", path: "" }), ...twinCauses(object, schema, "")];
}
