import type { AdmissionRequest } from "../interface.ts";
import { isEqual, isObject, type Json, type JsonObject, listAt, objectAt, stringAt } from "../json.ts";

/** One rule of a policy. The policy refuses the request with the message if `holds` is false. */
export interface Rule {
  readonly holds: boolean;
  readonly message: string;
  /** Default: `Forbidden` (403). `Invalid` (422) is the result of a validation without a reason. */
  readonly reason?: "Invalid";
}

/** A ValidatingAdmissionPolicy that we ship. */
export interface Policy {
  readonly name: string;
  /** For example `secrets`, `deployments.apps`, or `deployments.apps/status`. */
  readonly resources: readonly string[];
  /** User whose requests the policy checks; undefined for all users. */
  readonly user?: string;
  /** Whether the policy's other match conditions apply. */
  isAbout?(request: AdmissionRequest): boolean;
  /** Returns the rules in their order. The server reports the first that does not hold. */
  rules(request: AdmissionRequest): readonly Rule[];
}

export const NAMESPACE = "keyvault-injector";
export const WORKER = `system:serviceaccount:${NAMESPACE}:keyvault-injector-sync`;
export const WEBHOOK = `system:serviceaccount:${NAMESPACE}:keyvault-injector-webhook`;

export function metadata(object: JsonObject | undefined): JsonObject {
  return objectAt(object, "metadata");
}

export function label(object: JsonObject | undefined, name: string): string | undefined {
  return stringAt(objectAt(metadata(object), "labels"), name);
}

export function annotations(object: JsonObject | undefined): JsonObject {
  return objectAt(metadata(object), "annotations");
}

/** Returns a rule for a validation without a reason. */
export function invalidUnless(holds: boolean, message: string): Rule {
  return { holds, message, reason: "Invalid" };
}

export function includes(list: readonly Json[], wanted: Json): boolean {
  return list.some((item) => isEqual(item, wanted));
}

/** Returns the objects in a list. Its other items have no fields. */
export function objectsAt(object: JsonObject | undefined, name: string): readonly JsonObject[] {
  return listAt(object, name).filter(isObject);
}

/** Whether the object has no new finalizers or owners. */
export function gainsNoHold({ object, oldObject }: AdmissionRequest): boolean {
  return ["finalizers", "ownerReferences"].every((name) => {
    const before = listAt(metadata(oldObject), name);
    return listAt(metadata(object), name).every((item) => includes(before, item));
  });
}

/** Whether two maps are the same, except for members with these names. */
export function isSameBut(names: readonly string[], now: Json | undefined, before: Json | undefined): boolean {
  const [a, b] = [isObject(now) ? now : {}, isObject(before) ? before : {}];
  const isFree = (name: string): boolean => names.includes(name);
  return (
    Object.keys(b).every((name) => isFree(name) || (name in a && isEqual(a[name], b[name]))) &&
    Object.keys(a).every((name) => isFree(name) || name in b)
  );
}
