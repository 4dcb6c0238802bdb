/** What an answer of the vault says to the hints that it was asked for. */
import type { KeyStatus, SecretStatus } from "../../domain/sync/class-status.ts";
import type { Mirror } from "../vault/mirror.ts";
import type { Hint, Hints } from "./hints.ts";

export interface HintsAnswered {
  /** Those that the vault was asked for. */
  readonly hints: readonly Hint[];
  readonly answer: Mirror;
  /** How each Secret of the class stands after its write. */
  readonly secrets: readonly SecretStatus[];
}

/** `classKey`: `namespace/name`. */
export function answerHints(hints: Hints, classKey: string, { hints: asked, answer, secrets }: HintsAnswered): void {
  const isUnanswered =
    answer.kind === "refused" ? answer.retry.kind !== "never" : answer.notFresh !== undefined && answer.retry.kind !== "never";
  for (const hint of asked) {
    const keys = keysOf(secrets, hint.object);
    if (keys.some(({ isWritten, key }) => isWritten && isTold(hint, key))) hints.applied(classKey, hint);
    else if (isUnanswered) hints.unanswered(classKey, hint);
    else if (hint.change !== "NewVersionCreated" || isOverWith(hint, { keys, answer })) hints.end(classKey, hint, "looked");
    else hints.again(classKey, hint);
  }
}

/** Those of the class's Secrets hold what the event tells of, by the status that is stored. */
export function isCurrent({ change, object, version }: Hint, stored: readonly SecretStatus[]): boolean {
  if (change !== "NewVersionCreated" || version === undefined) return false;
  const keys = keysOf(stored, object);
  return keys.length > 0 && keys.every(({ isWritten, key }) => isWritten && key.version === version);
}

interface FoundKey {
  readonly key: KeyStatus;
  /** Its Secret holds it. */
  readonly isWritten: boolean;
}

function keysOf(secrets: readonly SecretStatus[], object: string): readonly FoundKey[] {
  return secrets.flatMap(({ state, data }) =>
    data.filter((key) => isOf(key, object)).map((key) => ({ key, isWritten: state === "Synced" && key.state === undefined })),
  );
}

/** The newest of a history has the index 0. */
function isOf({ object = "" }: KeyStatus, wanted: string): boolean {
  const id = object.toLowerCase();
  return id === wanted || id === `${wanted}/0`;
}

function isTold({ change, version }: Hint, key: KeyStatus): boolean {
  return change === "NewVersionCreated" && version !== undefined && key.version === version;
}

/** The vault has something newer than the event tells of, or no Secret is made from the object. */
function isOverWith({ happenedAt }: Hint, { keys, answer }: { readonly keys: readonly FoundKey[]; readonly answer: Mirror }): boolean {
  if (keys.length === 0) return answer.kind === "answered";
  return keys.some(({ key }) => key.updated !== undefined && Date.parse(key.updated) > happenedAt);
}
