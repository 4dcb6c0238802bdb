/** What the status of a class says to a request that somebody made by its annotation `refresh`. */
import { isAnswerOwed } from "./class-answer.ts";
import { conditionOf, REFRESH_CHARACTERS } from "./class-status.ts";
import { isPassing } from "./readiness.ts";
import type { ClassStatus, Told } from "./status-fields.ts";

/** A request to ask the vault. */
export interface RefreshRequest {
  /** Of the annotation. */
  readonly value: string;
  /** Values that the annotation and the status had before: whoever answers one of them has not seen this request. */
  readonly earlier: readonly (string | undefined)[];
}

/** The class and its status, read after the request was made. */
export interface AnswerFacts {
  readonly request: RefreshRequest;
  /** Of the class. */
  readonly generation: number;
  /** Value that the annotation has by now. */
  readonly annotation: string | undefined;
  readonly status: ClassStatus | undefined;
  /** Before that, the status has named the request: since then the worker answers to what the annotation had later. */
  readonly wasNamed?: boolean;
}

export type WorkerAnswer =
  /** There is none yet. `why`: what keeps the class from being up to date, by its status; it may be about an earlier attempt. */
  | { readonly kind: "open"; readonly why: Told | undefined; readonly isTakenBack: boolean }
  /** The vault was asked, and what the class names is not up to date. `isTriedAgain`: without anybody's doing. */
  | { readonly kind: "failed"; readonly why: Told; readonly isTriedAgain: boolean }
  | { readonly kind: "synced" };

export function workerAnswer({ request, generation, annotation, status, wasNamed = false }: AnswerFacts): WorkerAnswer {
  const why = failureIn(status);
  const isTakenBack = !wasNamed && annotation !== request.value && isEarlier(request, annotation);
  const open: WorkerAnswer = { kind: "open", why, isTakenBack };
  if (status === undefined || !(wasNamed || isAnswered(request, annotation, status))) return open;
  if (status.observedClassGeneration !== generation || isAnswerOwed(status)) return open;
  if (why !== undefined) return { kind: "failed", why, isTriedAgain: isPassing(why.reason, status.secrets) };
  // Of what nobody says, nobody knows.
  const isGood = conditionOf(status, "Synced")?.status === "True" && conditionOf(status, "Fresh")?.status === "True";
  return isGood ? { kind: "synced" } : open;
}

/** The worker answers to what the annotation has. Who answers a later request has asked the vault after this one was made. */
function isAnswered(request: RefreshRequest, annotation: string | undefined, { observedRefresh }: ClassStatus): boolean {
  if (observedRefresh === cutRefresh(request.value)) return true;
  return observedRefresh === cutRefresh(annotation) && !isEarlier(request, annotation);
}

function isEarlier({ earlier }: RefreshRequest, value: string | undefined): boolean {
  return earlier.map(cutRefresh).includes(cutRefresh(value));
}

/** The value of an annotation, as the status has it. */
export function cutRefresh(value: string | undefined): string | undefined {
  return value?.slice(0, REFRESH_CHARACTERS);
}

/** Of a class that is switched off, `Synced` is unknown. While it is not mirrored because nobody uses it, `Fresh` is. */
function failureIn(status: ClassStatus | undefined): Told | undefined {
  const synced = conditionOf(status, "Synced");
  if (synced !== undefined && synced.status !== "True") return { reason: synced.reason, message: synced.message };
  const fresh = conditionOf(status, "Fresh");
  return fresh?.status === "False" ? { reason: fresh.reason, message: fresh.message } : undefined;
}
