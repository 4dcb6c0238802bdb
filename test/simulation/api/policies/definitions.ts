import type { AdmissionRequest } from "../interface.ts";
import { isEqual, type Json, type JsonObject, objectAt, stringAt } from "../json.ts";
import { gainsNoHold, invalidUnless, objectsAt, type Policy, WORKER } from "./policy.ts";

const CLASSES = "secretproviderclasses.secrets-store.csi.x-k8s.io";
const SYNCS = "secretproviderclasssyncs.keyvault-injector.dev";
const PRESERVES = "x-kubernetes-preserve-unknown-fields";

/** Fields at the top of each definition without which its objects say nothing. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  [CLASSES]: ["provider", "parameters", "secretObjects"],
  "secretproviderclasspodstatuses.secrets-store.csi.x-k8s.io": ["podName", "secretProviderClassName", "mounted", "objects"],
  [SYNCS]: ["observedGeneration", "conditions", "secrets"],
};

/** Keys of a schema that neither give a value nor refuse one. */
const PLAIN = ["type", "description", "title", "properties", "additionalProperties", "items", PRESERVES, "x-kubernetes-map-type"];
/** Our own definition limits what the worker itself writes. */
const LIMITS = ["format", "enum", "required", "pattern", "minimum", "minLength", "maxLength"];
const OWN_LIMITS = [...LIMITS, "x-kubernetes-list-type", "x-kubernetes-list-map-keys"];

/** What the worker may write into CustomResourceDefinitions. */
export const DEFINITIONS: Policy = {
  name: "keyvault-injector-sync-definitions",
  user: WORKER,
  resources: ["customresourcedefinitions.apiextensions.k8s.io", "customresourcedefinitions.apiextensions.k8s.io/status"],
  rules: (request) => {
    const { operation, subresource, name, object, oldObject } = request;
    const [now, before] = [objectAt(object, "spec"), objectAt(oldObject, "spec")];
    const isHealed = operation !== "DELETE" && name in FIELDS;
    const changes = changesOf(now, before);
    return [
      invalidUnless(isHealed && subresource === "", "the sync worker writes the three definitions that it heals, and deletes none"),
      invalidUnless(
        (objectAt(now, "conversion")["strategy"] ?? "None") === "None" || isEqual(now["conversion"], before["conversion"]),
        "the sync worker has no object sent to a conversion webhook",
      ),
      invalidUnless(keepsVersions(now, before), "the sync worker takes no version of a definition away"),
      invalidUnless(operation === "DELETE" || hasFields(name, now), "the sync worker cuts no field of ours off a definition"),
      invalidUnless(!isHealed || keepsNames(request), "the sync worker changes neither the names nor the scope of a definition"),
      invalidUnless(
        changes.every((change) => isPlainChange(change, name === SYNCS ? [...PLAIN, ...OWN_LIMITS] : PLAIN)),
        "the sync worker gives a definition neither defaults nor rules",
      ),
      invalidUnless(
        name !== CLASSES || changes.every(losesNothing),
        "the sync worker has no class lose a parameter or an entry of secretObjects",
      ),
      invalidUnless(
        operation === "DELETE" || name === SYNCS || addsNoSubresource(now, before),
        "the sync worker gives a definition of the driver no subresource",
      ),
      { holds: gainsNoHold(request), message: "the sync worker gives definitions neither finalizers nor owners" },
    ];
  },
};

/** A schema that objects are read through, and the one that its version had; there may be none. */
interface SchemaChange {
  readonly now: JsonObject;
  readonly before: JsonObject | undefined;
}

function schemaOf(version: JsonObject): JsonObject {
  return objectAt(objectAt(version, "schema"), "openAPIV3Schema");
}

function changesOf(now: JsonObject, before: JsonObject): readonly SchemaChange[] {
  return objectsAt(now, "versions")
    .filter(({ served, storage }) => served === true || storage === true)
    .map((version) => {
      const old = objectsAt(before, "versions").find(({ name }) => name === version["name"]);
      return { now: schemaOf(version), before: old === undefined ? undefined : schemaOf(old) };
    })
    .filter((change) => !isEqual(change.now, change.before));
}

function keepsVersions(now: JsonObject, before: JsonObject): boolean {
  const versions = objectsAt(now, "versions");
  return objectsAt(before, "versions").every((old) =>
    versions.some(({ name, served }) => name === old["name"] && (old["served"] !== true || served === true)),
  );
}

function hasFields(name: string, now: JsonObject): boolean {
  return objectsAt(now, "versions")
    .filter(({ served }) => served === true)
    .every((version) => {
      const schema = schemaOf(version);
      const part = propertyOf(schema, name === CLASSES ? "spec" : "status");
      const fields = objectAt(part, "properties");
      return schema[PRESERVES] === true || part[PRESERVES] === true || (FIELDS[name] ?? []).every((field) => field in fields);
    });
}

function propertyOf(schema: JsonObject, name: string): JsonObject {
  return objectAt(objectAt(schema, "properties"), name);
}

function keepsNames({ name, object, oldObject }: AdmissionRequest): boolean {
  const [now, before] = [objectAt(object, "spec"), objectAt(oldObject, "spec")];
  const areKept =
    oldObject === undefined || isEqual(now["names"], before["names"]) || stringAt(objectAt(now, "names"), "plural") === name.split(".")[0];
  return now["scope"] === "Namespaced" && now["preserveUnknownFields"] !== true && areKept;
}

/** As it was, or with nothing but what says which fields there are. Two levels keep what they had beside that. */
function isPlainChange({ now, before }: SchemaChange, plain: readonly string[]): boolean {
  return isPlainOrKept(now, before, plain) && everyProperty(now, (part, name) => isPlainPart(part, knownProperty(before, name), plain));
}

function isPlainPart(now: JsonObject, before: Json | undefined, plain: readonly string[]): boolean {
  if (isEqual(now, before)) return true;
  const known = objectAt({ before: before ?? {} }, "before");
  return (
    isPlainOrKept(now, known, plain) &&
    everyProperty(now, (field, name) => isEqual(field, knownProperty(known, name)) || isPlainThroughout(field, plain))
  );
}

function isPlainOrKept(now: JsonObject, before: JsonObject | undefined, plain: readonly string[]): boolean {
  return Object.entries(now).every(([key, value]) => plain.includes(key) || (before !== undefined && isEqual(before[key], value)));
}

function isPlainThroughout(schema: JsonObject, plain: readonly string[]): boolean {
  return (
    Object.keys(schema).every((key) => plain.includes(key)) &&
    [objectAt(schema, "additionalProperties"), objectAt(schema, "items")].every(
      (inner) => isEqual(inner, {}) || isPlainThroughout(inner, plain),
    ) &&
    everyProperty(schema, (field) => isPlainThroughout(field, plain))
  );
}

function knownProperty(schema: JsonObject | undefined, name: string): Json | undefined {
  return objectAt(schema, "properties")[name];
}

function everyProperty(schema: JsonObject, holds: (field: JsonObject, name: string) => boolean): boolean {
  const properties = objectAt(schema, "properties");
  return Object.keys(properties).every((name) => holds(objectAt(properties, name), name));
}

/** What the schema of classes has to have, unless it says of the spec what it said before. */
function losesNothing({ now, before }: SchemaChange): boolean {
  if (before !== undefined && isEqual(knownProperty(now, "spec"), knownProperty(before, "spec"))) return true;
  const spec = propertyOf(now, "spec");
  const isType = (name: string, type: string): boolean => (propertyOf(spec, name)["type"] ?? type) === type;
  const { parameters, secretObjects } = objectAt(spec, "properties");
  return (
    isType("provider", "string") &&
    isType("parameters", "object") &&
    isType("secretObjects", "array") &&
    (parameters === undefined || takesAnyParameter(propertyOf(spec, "parameters"))) &&
    (secretObjects === undefined || takesAnyObject(objectAt(propertyOf(spec, "secretObjects"), "items")))
  );
}

function takesAnyParameter(parameters: JsonObject): boolean {
  return isEqual(objectAt(parameters, "properties"), {}) && isFreeMap(parameters);
}

function isFreeMap(schema: JsonObject): boolean {
  return objectAt(schema, "additionalProperties")["type"] === "string" || schema[PRESERVES] === true;
}

function takesAnyObject(entry: JsonObject): boolean {
  if (entry[PRESERVES] === true) return true;
  const items = objectAt(propertyOf(entry, "data"), "items");
  const fields = objectAt(entry, "properties");
  return (
    ["secretName", "type", "data"].every((name) => name in fields) &&
    ["labels", "annotations"].every((name) => isFreeMap(propertyOf(entry, name))) &&
    (items[PRESERVES] === true || ["objectName", "key"].every((name) => name in objectAt(items, "properties")))
  );
}

function addsNoSubresource(now: JsonObject, before: JsonObject): boolean {
  const versions = objectsAt(before, "versions");
  return objectsAt(now, "versions").every((version) => {
    const subresources = objectAt(version, "subresources");
    const isKept = ({ name, subresources: old }: JsonObject): boolean => name === version["name"] && isEqual(old, version["subresources"]);
    return isEqual(subresources, {}) || versions.some(isKept);
  });
}
