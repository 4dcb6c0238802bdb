import type { Component } from "../../domain/healing/components.ts";
import { type KubeObject, RESOURCES } from "../../domain/kubernetes.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import { FIELD_MANAGER } from "../field-manager.ts";

interface AccessReview extends KubeObject {
  readonly spec: unknown;
  readonly status?: { readonly allowed?: boolean; readonly evaluationError?: string };
}

/** Asked again so soon after it was first missing (milliseconds), and later ever more slowly. */
const SOONEST_MS = 5_000;
/** And at least so often (milliseconds). */
export const SLOWEST_MS = 300_000;
/** A right that is replaced is gone for a moment; an API server that has just started may not know it yet (milliseconds). */
const GONE_AFTER_MS = 300_000;

/** `denied`: as far as the API server could tell, which is all; `unclear`: no right was found, and something failed while it was looked for. */
export type RightAnswer = "granted" | "denied" | "unclear";

/**
 * Whether the worker may write this component. The right comes and goes with the manifests that install the component, and so says
 * whether it belongs to this install: one that its installer dropped is not brought back. Asked, instead of tried, so that nothing is
 * refused in an audit log.
 */
export async function askRight(kube: KubeClient, { resource, ref }: Component, signal: AbortSignal): Promise<RightAnswer> {
  const { group, plural } = resource;
  const resourceAttributes = { group, resource: plural, verb: "patch", ...ref };
  const review: AccessReview = {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SelfSubjectAccessReview",
    metadata: { name: "" },
    spec: { resourceAttributes },
  };
  const { status } = await kube.create(RESOURCES.selfSubjectAccessReviews, review, { fieldManager: FIELD_MANAGER }, signal);
  if (status?.allowed === true) return "granted";
  return (status?.evaluationError ?? "") === "" ? "denied" : "unclear";
}

/** The right to write one component, as it was answered over time. */
export class RightMemory {
  /** Unix milliseconds since when it has not been granted. */
  #missingSince: number | undefined;
  /** Unix milliseconds since when it has been denied without a doubt. */
  #deniedSince: number | undefined;

  note(answer: RightAnswer, now: number): void {
    this.#missingSince = answer === "granted" ? undefined : (this.#missingSince ?? now);
    this.#deniedSince = answer === "denied" ? (this.#deniedSince ?? now) : undefined;
  }

  /** It was taken away, and not only replaced. */
  isGone(now: number): boolean {
    return this.#deniedSince !== undefined && now - this.#deniedSince >= GONE_AFTER_MS;
  }

  /** Milliseconds until it is asked for again. */
  pause(now: number): number {
    return Math.min(SLOWEST_MS, Math.max(SOONEST_MS, now - (this.#missingSince ?? now)));
  }
}
