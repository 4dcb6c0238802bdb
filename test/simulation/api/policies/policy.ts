import type { AdmissionRequest } from "../interface.ts";
import { isEqual, isObject, type Json, type JsonObject, listAt, objectAt, stringAt } from "../json.ts";

/** One rule of a policy: why the request is refused, where `holds` is false. */
export interface Rule {
  readonly holds: boolean;
  readonly message: string;
  /** Default `Forbidden`, which is 403. `Invalid`, 422, is what a validation without a reason says. */
  readonly reason?: "Invalid";
}

/** A ValidatingAdmissionPolicy that we ship. */
export interface Policy {
  readonly name: string;
  /** `secrets`, `deployments.apps`, or `deployments.apps/status`. */
  readonly resources: readonly string[];
  /** Whose requests it is about: everybody's where not given. */
  readonly user?: string;
  /** Its further match conditions. */
  isAbout?(request: AdmissionRequest): boolean;
  /** In their order: the first that does not hold is reported. */
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

/** Rules whose validations give no reason. */
export function invalidUnless(holds: boolean, message: string): Rule {
  return { holds, message, reason: "Invalid" };
}

export function includes(list: readonly Json[], wanted: Json): boolean {
  return list.some((item) => isEqual(item, wanted));
}

/** The objects in a list: what else there is in it has no fields. */
export function objectsAt(object: JsonObject | undefined, name: string): readonly JsonObject[] {
  return listAt(object, name).filter(isObject);
}

/** Whether it has neither a finalizer nor an owner that it did not have before. */
export function gainsNoHold({ object, oldObject }: AdmissionRequest): boolean {
  return ["finalizers", "ownerReferences"].every((name) => {
    const before = listAt(metadata(oldObject), name);
    return listAt(metadata(object), name).every((item) => includes(before, item));
  });
}

/** Whether two maps are the same, but for members of these names. */
export function isSameBut(names: readonly string[], now: Json | undefined, before: Json | undefined): boolean {
  const [a, b] = [isObject(now) ? now : {}, isObject(before) ? before : {}];
  const isFree = (name: string): boolean => names.includes(name);
  return (
    Object.keys(b).every((name) => isFree(name) || (name in a && isEqual(a[name], b[name]))) &&
    Object.keys(a).every((name) => isFree(name) || name in b)
  );
}
