import { isEqual, isList, isObject, type Json, type JsonObject, listAt, objectAt, stringAt, textOf } from "../json.ts";
import type { Cause } from "../refusal.ts";
import { forbiddenField, IMMUTABLE, invalidValue, required, tooLong, unsupported } from "./cause.ts";
import { isLabelValue, isPathSegment, isQualifiedName, type NameRule } from "./names.ts";

const ANNOTATION_BYTES = 256 * 1024;
const MANAGER_BYTES = 128;
const STANDARD_FINALIZERS = ["kubernetes", "orphan", "foregroundDeletion"];

export interface MetadataRules {
  readonly name: NameRule;
  /** Whether finalizers must have standard or qualified names, as in core kinds. */
  readonly checksFinalizerNames: boolean;
}

/** Validates the metadata of any object. */
export function metadataCauses(object: JsonObject, { name: nameRule, checksFinalizerNames }: MetadataRules): readonly Cause[] {
  const metadata = objectAt(object, "metadata");
  const name = stringAt(metadata, "name") ?? "";
  const generateName = stringAt(metadata, "generateName") ?? "";
  return [
    ...(generateName === ""
      ? []
      : nameRule(maskedPrefix(generateName)).map((why) => invalidValue("metadata.generateName", generateName, why))),
    ...(name === ""
      ? [required("metadata.name", "name or generateName is required")]
      : nameRule(name).map((why) => invalidValue("metadata.name", name, why))),
    ...labelCauses(objectAt(metadata, "labels"), "metadata.labels"),
    ...annotationCauses(objectAt(metadata, "annotations")),
    ...ownerCauses(listAt(metadata, "ownerReferences")),
    ...finalizerCauses(listAt(metadata, "finalizers"), checksFinalizerNames),
    ...managedFieldsCauses(listAt(metadata, "managedFields")),
  ];
}

/** Refuses changes of metadata that no update can make. */
export function metadataChangeCauses(object: JsonObject, old: JsonObject, checksFinalizerNames: boolean): readonly Cause[] {
  const metadata = objectAt(object, "metadata");
  const before = objectAt(old, "metadata");
  const added = listAt(metadata, "finalizers").filter((finalizer) => !listAt(before, "finalizers").includes(finalizer));
  const why = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((finalizer) => JSON.stringify(finalizer)).join(", ")}}`;
  return [
    ...(before["deletionTimestamp"] !== undefined && added.length > 0 ? [forbiddenField("metadata.finalizers", why)] : []),
    ...immutableCauses(metadata, before, [
      "name",
      "namespace",
      "uid",
      "creationTimestamp",
      "deletionTimestamp",
      "deletionGracePeriodSeconds",
    ]),
    ...metadataCauses(object, { name: isPathSegment, checksFinalizerNames }),
  ];
}

function immutableCauses(metadata: JsonObject, before: JsonObject, names: readonly string[]): readonly Cause[] {
  return names.flatMap((name) =>
    isEqual(metadata[name], before[name]) ? [] : [invalidValue(`metadata.${name}`, metadata[name], IMMUTABLE)],
  );
}

/** Makes a prefix valid as a name, because a prefix can end in a dash. */
function maskedPrefix(prefix: string): string {
  return prefix.length > 1 && prefix.endsWith("-") ? `${prefix.slice(0, -2)}a` : prefix;
}

export function labelCauses(labels: JsonObject, field: string): readonly Cause[] {
  return Object.entries(labels).flatMap(([key, value]) => [
    ...isQualifiedName(key).map((why) => invalidValue(field, key, why)),
    ...(typeof value === "string" ? isLabelValue(value).map((why) => invalidValue(field, value, why)) : []),
  ]);
}

function annotationCauses(annotations: JsonObject): readonly Cause[] {
  const entries = Object.entries(annotations);
  const bytes = entries.reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(textOf(value)), 0);
  return [
    ...entries.flatMap(([key]) => isQualifiedName(key.toLowerCase()).map((why) => invalidValue("metadata.annotations", key, why))),
    ...(bytes > ANNOTATION_BYTES ? [tooLong("metadata.annotations", ANNOTATION_BYTES)] : []),
  ];
}

function ownerCauses(owners: readonly Json[]): readonly Cause[] {
  const field = "metadata.ownerReferences";
  const controllers = owners.filter((owner) => isObject(owner) && owner["controller"] === true);
  const [first, second] = controllers.map((owner) => (isObject(owner) ? `${stringAt(owner, "kind")}/${stringAt(owner, "name")}` : ""));
  const why = `Only one reference can have Controller set to true. Found "true" in references for ${first} and ${second}`;
  return [
    ...owners.flatMap((owner) => (isObject(owner) ? ownerReferenceCauses(owner, field) : [])),
    ...(second === undefined ? [] : [invalidValue(field, owners, why)]),
  ];
}

function ownerReferenceCauses(owner: JsonObject, field: string): readonly Cause[] {
  const apiVersion = stringAt(owner, "apiVersion") ?? "";
  const version = apiVersion.includes("/") ? apiVersion.slice(apiVersion.indexOf("/") + 1) : apiVersion;
  const empty = ["kind", "name", "uid"].filter((name) => (stringAt(owner, name) ?? "") === "");
  const isEvent = apiVersion === "v1" && owner["kind"] === "Event";
  return [
    ...(version === "" ? [invalidValue(`${field}.apiVersion`, apiVersion, "version must not be empty")] : []),
    ...empty.map((name) => invalidValue(`${field}.${name}`, "", "must not be empty")),
    ...(isEvent ? [invalidValue(field, owner, "/v1, Kind=Event is disallowed from being an owner")] : []),
  ];
}

function finalizerCauses(finalizers: readonly Json[], checksNames: boolean): readonly Cause[] {
  const field = "metadata.finalizers";
  const unknown = (name: string): boolean => checksNames && !name.includes("/") && !STANDARD_FINALIZERS.includes(name);
  const names = finalizers.map(String);
  const isBoth = names.includes("orphan") && names.includes("foregroundDeletion");
  return [
    ...names.flatMap((name) => isQualifiedName(name).map((why) => invalidValue(field, name, why))),
    ...names.flatMap((name, index) =>
      unknown(name)
        ? [invalidValue(`${field}[${index}]`, name, "name is neither a standard finalizer name nor is it fully qualified")]
        : [],
    ),
    ...(isBoth ? [invalidValue(field, finalizers, "finalizer orphan and foregroundDeletion cannot be both set")] : []),
  ];
}

function managedFieldsCauses(entries: readonly Json[]): readonly Cause[] {
  return entries.flatMap((entry, index) => {
    if (!isObject(entry)) return [];
    const field = `metadata.managedFields[${index}]`;
    const operation = stringAt(entry, "operation") ?? "";
    const type = stringAt(entry, "fieldsType") ?? "";
    return [
      ...(operation === "Apply" || operation === "Update"
        ? []
        : [invalidValue(`${field}.operation`, operation, "must be `Apply` or `Update`")]),
      ...(type === "" || type === "FieldsV1" ? [] : [invalidValue(`${field}.fieldsType`, type, "must be `FieldsV1`")]),
      ...fieldManagerCauses(stringAt(entry, "manager") ?? "", `${field}.manager`),
    ];
  });
}

export function fieldManagerCauses(manager: string, field: string): readonly Cause[] {
  return Buffer.byteLength(manager) > MANAGER_BYTES ? [tooLong(field, MANAGER_BYTES)] : [];
}

/** Validates `matchLabels` and `matchExpressions`. */
export function selectorCauses(selector: JsonObject, field: string): readonly Cause[] {
  const expressions = listAt(selector, "matchExpressions");
  return [
    ...labelCauses(objectAt(selector, "matchLabels"), `${field}.matchLabels`),
    ...expressions.flatMap((expression, index) =>
      isObject(expression) ? expressionCauses(expression, `${field}.matchExpressions[${index}]`) : [],
    ),
  ];
}

function expressionCauses(expression: JsonObject, field: string): readonly Cause[] {
  const operator = stringAt(expression, "operator") ?? "";
  const values = expression["values"];
  const count = isList(values) ? values.length : 0;
  const takesValues = operator === "In" || operator === "NotIn";
  const isKnown = takesValues || operator === "Exists" || operator === "DoesNotExist";
  const key = stringAt(expression, "key") ?? "";
  return [
    ...(isKnown ? [] : [invalidValue(`${field}.operator`, operator, "not a valid selector operator")]),
    ...(takesValues && count === 0 ? [required(`${field}.values`, "must be specified when `operator` is 'In' or 'NotIn'")] : []),
    ...(isKnown && !takesValues && count > 0
      ? [forbiddenField(`${field}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")]
      : []),
    ...isQualifiedName(key).map((why) => invalidValue(`${field}.key`, key, why)),
  ];
}

export function dryRunCauses(values: readonly string[]): readonly Cause[] {
  return values.every((value) => value === "All") ? [] : [unsupported("dryRun", [...values], ["All"])];
}
