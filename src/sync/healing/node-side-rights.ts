import type { Component } from "../../domain/healing/components.ts";
import { type KubeObject, RESOURCES } from "../../domain/kubernetes.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import { FIELD_MANAGER } from "../field-manager.ts";

interface AccessReview extends KubeObject {
  readonly spec: unknown;
  readonly status?: { readonly allowed?: boolean };
}

/**
 * Whether the worker may write this component. The right comes and goes with the manifests that install the component, and so says
 * whether it belongs to this install: one that its installer dropped is not brought back. Asked, instead of tried, so that nothing is
 * refused in an audit log.
 */
export async function mayHeal(kube: KubeClient, { resource, ref }: Component, signal: AbortSignal): Promise<boolean> {
  const { group, plural } = resource;
  const resourceAttributes = { group, resource: plural, verb: "patch", ...ref };
  const review: AccessReview = {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SelfSubjectAccessReview",
    metadata: { name: "" },
    spec: { resourceAttributes },
  };
  const answer = await kube.create(RESOURCES.selfSubjectAccessReviews, review, { fieldManager: FIELD_MANAGER }, signal);
  return answer.status?.allowed === true;
}
