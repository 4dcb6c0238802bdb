/**
 * Checks whether a status describes the current class. After an edit, people and pipelines wait for `Ready`. So `Ready` must not show the
 * result for the previous class while the worker has not reconciled the new one.
 */
import { conditionOf, withProgress } from "./class-status.ts";
import type { ClassStatus } from "./status-fields.ts";

/** The current class: the part of it that determines its Secrets, without the vault's content. */
export interface ClassNow {
  readonly generation: number;
  /** By the name of each Secret: hash of the part of the class that the Secret is written from. */
  readonly specHashes: ReadonlyMap<string, string>;
}

type ReportedClass = Pick<ClassStatus, "observedClassGeneration" | "secrets">;

/**
 * Whether the status describes this class. False after an edit, and after the class was deleted and recreated with another spec at the same
 * generation.
 */
export function isAbout(reported: ReportedClass, { generation, specHashes }: ClassNow): boolean {
  return reported.observedClassGeneration === generation && !isSpecNew(reported, specHashes);
}

/**
 * Whether the class's spec differs from the one that its Secrets were written from. Ignores Secrets that failed: their next attempt
 * compares the spec itself.
 */
export function isSpecNew({ secrets }: Pick<ClassStatus, "secrets">, specHashes: ReadonlyMap<string, string>): boolean {
  const written = secrets.filter(({ state }) => state === "Synced" || state === "Contested");
  const isWritten = new Set(written.map(({ name }) => name));
  const isMore = written.length === secrets.length && [...specHashes.keys()].some((name) => !isWritten.has(name));
  return (
    (isMore && written.length > 0) || written.some(({ name, specHash }) => specHash !== undefined && specHash !== specHashes.get(name))
  );
}

/** Whether `Ready` is true in the status although the class has changed since, or still has to create its Secrets. */
export function isReadyOutdated(reported: ClassStatus | undefined, now: ClassNow): reported is ClassStatus {
  if (reported === undefined || conditionOf(reported, "Ready")?.status !== "True") return false;
  return !isAbout(reported, now) || reported.secrets.length === 0;
}

/** Whether the status reports that the worker still has to reconcile the class. */
export function isAnswerOwed(reported: ClassStatus | undefined): boolean {
  return conditionOf(reported, "Ready")?.reason === "Progressing";
}

/** Returns the status to show until the class is reconciled; undefined if the stored one can stay. `time`: Unix milliseconds. */
export function takenBack(reported: ClassStatus | undefined, now: ClassNow, time: number): ClassStatus | undefined {
  return isReadyOutdated(reported, now) ? withProgress(reported, now.generation, time) : undefined;
}
