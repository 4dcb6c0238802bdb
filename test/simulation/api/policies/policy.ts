import type { AdmissionRequest } from "../interface.ts";
import { isEqual, isObject, type Json, type JsonObject, objectAt, stringAt } from "../json.ts";

/** One rule of a policy: why the request is refused, where `holds` is false. */
export interface Rule {
  readonly holds: boolean;
  readonly message: string;
}

/** A ValidatingAdmissionPolicy that we ship, for the one account that it is about. */
export interface Policy {
  readonly name: string;
  readonly user: string;
  /** `secrets`, or `deployments.apps`. */
  readonly resources: readonly string[];
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

/** Whether two maps are the same, but for members of these names. */
export function isSameBut(names: readonly string[], now: Json | undefined, before: Json | undefined): boolean {
  const [a, b] = [isObject(now) ? now : {}, isObject(before) ? before : {}];
  const isFree = (name: string): boolean => names.includes(name);
  return (
    Object.keys(b).every((name) => isFree(name) || (name in a && isEqual(a[name], b[name]))) &&
    Object.keys(a).every((name) => isFree(name) || name in b)
  );
}
