import { decodeObject, storedForm, zeroOf } from "../codec/decode.ts";
import { withDefaults } from "../defaults/defaults.ts";
import { isObject, type JsonObject, objectAt, withMember } from "../json.ts";
import type { Kind, Subresource } from "../kind.ts";
import { fieldsNamed } from "../managed-fields/field-set.ts";
import type { Cause } from "../refusal.ts";
import { shapeNamed } from "../schema/shapes.ts";
import { metadataCauses, metadataChangeCauses } from "../validation/metadata.ts";
import { isSubdomain, type NameRule } from "../validation/names.ts";
import { firstGeneration, type GenerationRule, keeping, keepingMetadata, never, raised } from "./preparing.ts";

/** Differences between the built-in kinds. */
export interface Traits {
  readonly group: string;
  readonly plural: string;
  readonly kind: string;
  readonly shape: string;
  readonly isClusterScoped?: boolean;
  readonly createsByUpdate?: boolean;
  readonly needsVersion?: boolean;
  readonly returnsDeleted?: boolean;
  readonly hasNoDependents?: boolean;
  /** Absent if the kind has no generation. */
  readonly generation?: GenerationRule;
  /** Whether the first change, and not the creation, sets the first generation. */
  readonly isBornWithoutGeneration?: boolean;
  /** Absent if the kind has no status. */
  readonly status?: StatusTraits;
  readonly name?: NameRule;
  /** Whether a finalizer can have any name. Other kinds accept only standard and qualified names. */
  readonly takesAnyFinalizer?: boolean;
  /** Whether the server validates the metadata only if the rest is valid, and only by the general rules. */
  readonly isLooselyChecked?: boolean;
  readonly fieldLabels?: Kind["fieldLabels"];
  /** Runs after the body is decoded and before the defaults are set. */
  readonly reshape?: (object: JsonObject) => JsonObject;
  readonly prepareCreate?: (object: JsonObject) => JsonObject;
  readonly prepareUpdate?: (object: JsonObject, old: JsonObject) => JsonObject;
  readonly causes?: (object: JsonObject) => readonly Cause[];
  /** Causes for new objects only. */
  readonly birthCauses?: (object: JsonObject) => readonly Cause[];
  readonly changeCauses?: (object: JsonObject, old: JsonObject) => readonly Cause[];
}

export interface StatusTraits {
  /** Returns the status of a new object. */
  readonly first?: (object: JsonObject) => JsonObject;
  /** Metadata that a write to the status does not change. */
  readonly keeps?: readonly string[];
  /** Fields that such a write cannot own, in addition to the spec. */
  readonly ignores?: readonly string[];
}

/** Returns a built-in kind in version v1. */
export function builtinKind(traits: Traits): Kind {
  const { group, plural, kind, status, generation } = traits;
  const shape = shapeNamed(traits.shape);
  const apiVersion = group === "" ? "v1" : `${group}/v1`;
  const ofStatus = fieldsNamed("status");
  const ofSpec = fieldsNamed("spec", ...(status?.ignores ?? []));
  const rules = {
    name: traits.name ?? isSubdomain,
    checksFinalizerNames: traits.takesAnyFinalizer !== true && traits.isLooselyChecked !== true,
  };
  const typed = { kind, apiVersion };
  const read = (body: JsonObject, before?: JsonObject): JsonObject => {
    const known = decodeObject(shape, withType(body, typed), before);
    const filled = withDefaults(shape, traits.reshape?.(known) ?? known, before);
    return isObject(filled) ? decodeObject(shape, filled, before) : known;
  };
  return {
    group,
    version: "v1",
    plural,
    kind,
    namespaced: traits.isClusterScoped !== true,
    apiVersion,
    collection: group === "" ? plural : `${plural}.${group}`,
    shape,
    isCustom: false,
    hasStatus: status !== undefined,
    createsByUpdate: traits.createsByUpdate === true,
    needsVersion: traits.needsVersion === true,
    returnsDeleted: traits.returnsDeleted === true,
    hasNoDependents: traits.hasNoDependents === true,
    blank: { ...typed, ...(zeroOf(shape) as JsonObject) }, // The shape is that of an object.
    fieldLabels: traits.fieldLabels ?? {},
    ignoredFields: (subresource) => (status === undefined ? undefined : subresource === "status" ? ofSpec : ofStatus),
    isKnownVersion: () => true,
    read,
    complete: read,
    view: (stored) => stored,
    store: (object) => storedForm(shape, object) as JsonObject, // The shape is that of an object.
    prepareCreate: (object) => {
      const first = status === undefined ? object : withMember(object, "status", status.first?.(object) ?? zeroStatus(shape.name));
      const prepared = traits.prepareCreate?.(first) ?? first;
      return generation === undefined || traits.isBornWithoutGeneration === true ? prepared : firstGeneration(prepared);
    },
    prepareUpdate: (object, old, subresource) => prepareUpdate(traits, { object, old, subresource }),
    createCauses: (object) => {
      const ofContent = [...(traits.causes?.(object) ?? []), ...(traits.birthCauses?.(object) ?? [])];
      return traits.isLooselyChecked === true && ofContent.length > 0 ? ofContent : [...metadataCauses(object, rules), ...ofContent];
    },
    updateCauses: (object, old, subresource) => [
      ...metadataChangeCauses(object, old, rules.checksFinalizerNames),
      ...(subresource === "" ? [...(traits.causes?.(object) ?? []), ...(traits.changeCauses?.(object, old) ?? [])] : []),
    ],
  };
}

function withType(body: JsonObject, typed: JsonObject): JsonObject {
  return body["kind"] === typed["kind"] && body["apiVersion"] === typed["apiVersion"] ? body : { ...typed, ...body, ...typed };
}

function zeroStatus(shapeName: string): JsonObject {
  return objectAt(zeroOf(shapeNamed(shapeName)) as JsonObject, "status"); // The shape is that of an object.
}

interface Update {
  readonly object: JsonObject;
  readonly old: JsonObject;
  readonly subresource: Subresource;
}

function prepareUpdate(traits: Traits, { object, old, subresource }: Update): JsonObject {
  const { status, generation } = traits;
  if (subresource === "status") {
    const kept = keepingMetadata(keeping(object, old, ...specMembers(old)), old, ...(status?.keeps ?? []));
    return generation === undefined ? kept : raised(kept, old, never);
  }
  const kept = status === undefined ? object : keeping(object, old, "status");
  const prepared = traits.prepareUpdate?.(kept, old) ?? kept;
  return raised(prepared, old, generation ?? never);
}

function specMembers(old: JsonObject): readonly string[] {
  return Object.keys(old).filter((name) => !["apiVersion", "kind", "metadata", "status"].includes(name));
}
