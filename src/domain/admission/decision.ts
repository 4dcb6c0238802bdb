import type { Denial, DenialReason, FailureReason, UnchangedReason } from "./reasons.ts";

/** Of RFC 6902, what the webhook ever sends. */
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
  /** The HTTP status: with any of these the API server lets its failure policy decide. */
  readonly status: 400 | 408 | 413 | 429 | 500;
  readonly message: string;
}

/** The only ways to answer an admission review. HTTP, logging and metrics are somebody else's business. */
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

/** Not a review that can be decided: the sender's mistake, so HTTP 400. */
export function invalidReview(message: string): AdmissionDecision {
  return { kind: "errored", reason: "InvalidReview", status: 400, message };
}

export function tooLarge(message: string): AdmissionDecision {
  return { kind: "errored", reason: "TooLarge", status: 413, message };
}

/** More reviews at once than can be answered in time. */
export function overloaded(): AdmissionDecision {
  const message = "keyvault-injector has more reviews than it can answer in time: retry in a second";
  return { kind: "errored", reason: "Overloaded", status: 429, message };
}

/** The sender went away before its request was complete; nobody reads the answer. */
export function abortedRequest(): AdmissionDecision {
  return { kind: "errored", reason: "Aborted", status: 400, message: "the request ended before its body was complete" };
}

/** The body did not come in time: nobody waits for one that is so slow. */
export function late(): AdmissionDecision {
  return { kind: "errored", reason: "Aborted", status: 408, message: "the body of the request did not arrive in time" };
}

/** Our own bug. The message is fixed: an error's text may hold parts of the pod. */
export function internalError(): AdmissionDecision {
  return {
    kind: "errored",
    reason: "InternalError",
    status: 500,
    message: "keyvault-injector failed to decide on this pod: search the webhook's log for the request's uid",
  };
}
