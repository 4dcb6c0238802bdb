import type { KubeObject } from "../kubernetes.ts";

/** What of a CustomResourceDefinition (apiextensions.k8s.io/v1) is looked at. */
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

/** A structural schema, as far as it is compared. */
export interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly "x-kubernetes-preserve-unknown-fields"?: boolean;
  /** What the API server puts in where an object has nothing, also into those that are stored. */
  readonly default?: unknown;
}

export function isEstablished(crd: CustomResourceDefinition): boolean {
  return crd.status?.conditions?.some((condition) => condition.type === "Established" && condition.status === "True") ?? false;
}

/**
 * Whether the API server has failed to delete the instances of a CRD that is going away. It tries again by itself, but on a copy that may
 * lack this very condition; then it meets a conflict and takes that for somebody else's change, of which it would be told. It is not, and
 * looks again minutes later (Kubernetes 1.34 and 1.36).
 */
export function hasDeletionFailed(crd: CustomResourceDefinition): boolean {
  const terminating = crd.status?.conditions?.find(({ type }) => type === "Terminating");
  return terminating?.status === "True" && terminating.reason !== "InstanceDeletionInProgress";
}
