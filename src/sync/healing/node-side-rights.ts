import type { Component } from "../../domain/healing/components.ts";
import { type KubeObject, RESOURCES } from "../../domain/kubernetes.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import { FIELD_MANAGER } from "../field-manager.ts";

interface AccessReview extends KubeObject {
  readonly spec: unknown;
  readonly status?: { readonly allowed?: boolean; readonly evaluationError?: string };
}

/**
 * Shortest pause in milliseconds until the worker checks a missing permission again. The pauses grow with the time that the permission has
 * been missing.
 */
const SOONEST_MS = 5_000;
/** Longest such pause in milliseconds. */
export const SLOWEST_MS = 300_000;
/**
 * Time in milliseconds after which a denied permission counts as removed. A permission is missing for a moment while someone replaces it,
 * and an API server that has just started may not know it yet.
 */
const GONE_AFTER_MS = 300_000;

/**
 * `denied`: the API server found no permission and reported no error. `unclear`: it found no permission, and something failed during the
 * check.
 */
export type RightAnswer = "granted" | "denied" | "unclear";

/**
 * Checks whether the worker has permission to write this component. The permission comes and goes with the manifests that install the
 * component, so it shows whether the component belongs to this install. The worker does not restore a component that its installer dropped.
 * It checks the permission instead of trying a write, so that the audit log contains no rejected request.
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

/** Answers about the permission to write one component, over time. */
export class RightMemory {
  /** Unix time in milliseconds since which the permission has not been granted. */
  #missingSince: number | undefined;
  /** Unix time in milliseconds since which the permission has been denied without a doubt. */
  #deniedSince: number | undefined;

  note(answer: RightAnswer, now: number): void {
    this.#missingSince = answer === "granted" ? undefined : (this.#missingSince ?? now);
    this.#deniedSince = answer === "denied" ? (this.#deniedSince ?? now) : undefined;
  }

  /** Whether the permission was removed, and not only replaced. */
  isGone(now: number): boolean {
    return this.#deniedSince !== undefined && now - this.#deniedSince >= GONE_AFTER_MS;
  }

  /** Returns the time in milliseconds until the next check of the permission. */
  pause(now: number): number {
    return Math.min(SLOWEST_MS, Math.max(SOONEST_MS, now - (this.#missingSince ?? now)));
  }
}
