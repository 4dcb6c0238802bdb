import type { KubeObject } from "../kubernetes.ts";

/** The parts of a CustomResourceDefinition (apiextensions.k8s.io/v1) that the worker reads. */
export interface CustomResourceDefinition extends KubeObject {
  readonly spec: CrdSpec;
  readonly status?: { readonly conditions?: readonly CrdCondition[] };
}

export interface CrdCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
}

export interface CrdSpec {
  readonly group: string;
  readonly scope: string;
  readonly names: { readonly plural: string; readonly kind: string };
  readonly versions: readonly CrdVersion[];
}

export interface CrdVersion {
  readonly name: string;
  readonly served: boolean;
  readonly storage: boolean;
  readonly deprecated?: boolean;
  readonly schema?: { readonly openAPIV3Schema?: Schema };
  readonly subresources?: Readonly<Record<string, unknown>>;
}

/** A structural schema, as far as the worker compares it. */
export interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly "x-kubernetes-preserve-unknown-fields"?: boolean;
  /** Value that the API server fills in if an object has none, also in stored objects. */
  readonly default?: unknown;
}

export function isEstablished(crd: CustomResourceDefinition): boolean {
  return crd.status?.conditions?.some((condition) => condition.type === "Established" && condition.status === "True") ?? false;
}

/** Reasons of the condition `Terminating` before the API server has deleted all instances, and while it does. */
const DELETION_UNDER_WAY: readonly unknown[] = ["InstanceDeletionPending", "InstanceDeletionInProgress"];

/**
 * Whether the API server failed to delete the instances of a terminating CRD. It retries by itself, but with a copy that may lack this very
 * condition. Then it gets a conflict and assumes a change by someone else, for which it waits for an event. No event arrives, so it retries
 * only minutes later (Kubernetes 1.34 and 1.36).
 */
export function hasDeletionFailed(crd: CustomResourceDefinition): boolean {
  const terminating = crd.status?.conditions?.find(({ type }) => type === "Terminating");
  return terminating?.status === "True" && !DELETION_UNDER_WAY.includes(terminating.reason);
}
