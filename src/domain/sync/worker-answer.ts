/** Reads from the status of a class the answer to a request that a user made with the annotation `refresh`. */
import { isAnswerOwed } from "./class-answer.ts";
import { conditionOf, REFRESH_CHARACTERS } from "./class-status.ts";
import { isPassing } from "./readiness.ts";
import type { ClassStatus, ReportedReason } from "./status-fields.ts";

/** A request to query the vault. */
export interface RefreshRequest {
  /** Value of the annotation. */
  readonly value: string;
  /** Earlier values of the annotation and the status. A worker that answers one of them has not seen this request. */
  readonly earlier: readonly (string | undefined)[];
}

/** The class and its status, read after the request was made. */
export interface AnswerFacts {
  readonly request: RefreshRequest;
  /** Generation of the class. */
  readonly generation: number;
  /** Current value of the annotation. */
  readonly annotation: string | undefined;
  readonly status: ClassStatus | undefined;
  /** Whether an earlier status named the request. Since then, the status may name a later value of the annotation. */
  readonly wasNamed?: boolean;
}

export type WorkerAnswer =
  /** No answer yet. `why`: what keeps the class from being up to date, according to its status; it may be about an earlier attempt. */
  | { readonly kind: "open"; readonly why: ReportedReason | undefined; readonly isTakenBack: boolean }
  /**
   * The worker queried the vault, but the class is not up to date. `isTriedAgain`: whether the worker retries without a change by a user.
   */
  | { readonly kind: "failed"; readonly why: ReportedReason; readonly isTriedAgain: boolean }
  | { readonly kind: "synced" };

export function workerAnswer({ request, generation, annotation, status, wasNamed = false }: AnswerFacts): WorkerAnswer {
  const why = failureIn(status);
  const isTakenBack = !wasNamed && annotation !== request.value && isEarlier(request, annotation);
  const open: WorkerAnswer = { kind: "open", why, isTakenBack };
  if (status === undefined || !(wasNamed || isAnswered(request, annotation, status))) return open;
  if (status.observedClassGeneration !== generation || isAnswerOwed(status)) return open;
  if (why !== undefined) return { kind: "failed", why, isTriedAgain: isPassing(why.reason, status.secrets) };
  // Both conditions must be `True`: a missing or unknown one proves nothing.
  const isGood = conditionOf(status, "Synced")?.status === "True" && conditionOf(status, "Fresh")?.status === "True";
  return isGood ? { kind: "synced" } : open;
}

/**
 * Whether the worker answered this request, or a later value of the annotation: an answer to a later request includes a query after this
 * one.
 */
function isAnswered(request: RefreshRequest, annotation: string | undefined, { observedRefresh }: ClassStatus): boolean {
  if (observedRefresh === cutRefresh(request.value)) return true;
  return observedRefresh === cutRefresh(annotation) && !isEarlier(request, annotation);
}

function isEarlier({ earlier }: RefreshRequest, value: string | undefined): boolean {
  return earlier.map(cutRefresh).includes(cutRefresh(value));
}

/** Returns the value of an annotation as the status stores it. */
export function cutRefresh(value: string | undefined): string | undefined {
  return value?.slice(0, REFRESH_CHARACTERS);
}

/**
 * Returns the failure that the status reports. `Synced` is unknown if the class is switched off. `Fresh` is unknown if the class is not
 * synced because no pod uses it.
 */
function failureIn(status: ClassStatus | undefined): ReportedReason | undefined {
  const synced = conditionOf(status, "Synced");
  if (synced !== undefined && synced.status !== "True") return { reason: synced.reason, message: synced.message };
  const fresh = conditionOf(status, "Fresh");
  return fresh?.status === "False" ? { reason: fresh.reason, message: fresh.message } : undefined;
}
