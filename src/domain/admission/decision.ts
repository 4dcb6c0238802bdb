import type { Denial, DenialReason, FailureReason, UnchangedReason } from "./reasons.ts";

/** The part of RFC 6902 that the webhook uses. */
export interface PatchOperation {
  readonly op: "add" | "replace";
  readonly path: string;
  readonly value: unknown;
}

interface Unchanged {
  readonly kind: "unchanged";
  readonly reason: UnchangedReason;
  readonly warnings: readonly string[];
}

interface Patched {
  readonly kind: "patched";
  readonly reason: "Injected";
  readonly patch: readonly PatchOperation[];
  readonly classes: readonly string[];
  readonly warnings: readonly string[];
}

interface Denied {
  readonly kind: "denied";
  readonly reason: DenialReason;
  readonly message: string;
  readonly warnings: readonly string[];
}

interface Errored {
  readonly kind: "errored";
  readonly reason: FailureReason;
  /** HTTP status. On each of these, the API server applies its failure policy. */
  readonly status: 400 | 408 | 413 | 429 | 500;
  readonly message: string;
}

/** All possible answers to an admission review. This type knows nothing of HTTP, logs, and metrics. */
export type AdmissionDecision = Unchanged | Patched | Denied | Errored;

export function unchanged(reason: UnchangedReason, warnings: readonly string[] = []): AdmissionDecision {
  return { kind: "unchanged", reason, warnings };
}

export function patched(patch: readonly PatchOperation[], classes: readonly string[], warnings: readonly string[]): AdmissionDecision {
  return { kind: "patched", reason: "Injected", patch, classes, warnings };
}

export function denied({ reason, message }: Denial, warnings: readonly string[] = []): AdmissionDecision {
  return { kind: "denied", reason, message, warnings };
}

/** The request is not a review that the webhook can decide. The sender made a mistake, so the status is HTTP 400. */
export function invalidReview(message: string): AdmissionDecision {
  return { kind: "errored", reason: "InvalidReview", status: 400, message };
}

export function tooLarge(message: string): AdmissionDecision {
  return { kind: "errored", reason: "TooLarge", status: 413, message };
}

/** More reviews arrive at once than the webhook can answer in time. */
export function overloaded(): AdmissionDecision {
  const message = "keyvault-injector has more reviews than it can answer in time: retry in a second";
  return { kind: "errored", reason: "Overloaded", status: 429, message };
}

/** The sender closed the connection before its request was complete, so it does not read the answer. */
export function abortedRequest(): AdmissionDecision {
  return { kind: "errored", reason: "Aborted", status: 400, message: "the request ended before its body was complete" };
}

/** The body did not arrive in time, so the webhook stops waiting. */
export function late(): AdmissionDecision {
  return { kind: "errored", reason: "Aborted", status: 408, message: "the body of the request did not arrive in time" };
}

/** A bug of the webhook. The message is fixed, because the text of an error can contain parts of the pod. */
export function internalError(): AdmissionDecision {
  return {
    kind: "errored",
    reason: "InternalError",
    status: 500,
    message: "keyvault-injector failed to decide on this pod: search the webhook's log for the request's uid",
  };
}
