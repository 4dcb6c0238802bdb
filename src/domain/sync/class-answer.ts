/**
 * Whether a status is the answer to its class as it is now. `Ready` is what people and pipelines wait for after an edit: it never says of a
 * class that nobody has looked at what was true of the one before.
 */
import { conditionOf, withProgress } from "./class-status.ts";
import type { ClassStatus } from "./status-fields.ts";

/** A class as it is now, as far as its Secrets follow from it and not from the vault. */
export interface ClassNow {
  readonly generation: number;
  /** By the name of each Secret, of what it follows from. */
  readonly specHashes: ReadonlyMap<string, string>;
}

type Told = Pick<ClassStatus, "observedClassGeneration" | "secrets">;

/** The status is about the class, which was neither edited since nor deleted and made anew with another spec, at the same generation. */
export function isAbout(told: Told, { generation, specHashes }: ClassNow): boolean {
  return told.observedClassGeneration === generation && !isSpecNew(told, specHashes);
}

/** Of the Secrets that were written: one that failed waits for its next attempt, which compares for itself. */
export function isSpecNew({ secrets }: Pick<ClassStatus, "secrets">, specHashes: ReadonlyMap<string, string>): boolean {
  const written = secrets.filter(({ state }) => state === "Synced" || state === "Contested");
  const isWritten = new Set(written.map(({ name }) => name));
  const isMore = written.length === secrets.length && [...specHashes.keys()].some((name) => !isWritten.has(name));
  return (
    (isMore && written.length > 0) || written.some(({ name, specHash }) => specHash !== undefined && specHash !== specHashes.get(name))
  );
}

/** `Ready` is true by the status, and the class is another one by now, or one whose Secrets are still to be made. */
export function isReadyOutdated(told: ClassStatus | undefined, now: ClassNow): told is ClassStatus {
  if (told === undefined || conditionOf(told, "Ready")?.status !== "True") return false;
  return !isAbout(told, now) || told.secrets.length === 0;
}

/** The status says that somebody is to look at the class. */
export function isAnswerOwed(told: ClassStatus | undefined): boolean {
  return conditionOf(told, "Ready")?.reason === "Progressing";
}

/** What the status says until there is an answer; undefined where it may stay as it is. `time`: Unix milliseconds. */
export function takenBack(told: ClassStatus | undefined, now: ClassNow, time: number): ClassStatus | undefined {
  return isReadyOutdated(told, now) ? withProgress(told, now.generation, time) : undefined;
}
