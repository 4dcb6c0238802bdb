/**
 * The objects of a class that no Secret of its holds: pods mount them, and workloads that ask for restarts want to know of their versions.
 * Kept in the class's status, so that every worker knows since when a version is the one that a new pod mounts.
 */
import type { SyncReason } from "../reasons.ts";
import { rfc3339, type Told } from "./class-status.ts";
import { shortText } from "./status-size.ts";

/** An object of a class as a pod mounts it, and the version that a pod gets that is made now. */
export interface ObjectStatus {
  /** As the driver names it: `secret/DemoSecret`, of a history `secret/DemoSecret/0`. Two entries of a class may have the same. */
  readonly object: string;
  /** Absent where it was never known. */
  readonly version?: string;
  readonly updated?: string;
  readonly expires?: string;
  /** RFC 3339: pods that are made later mount this version. Absent where nobody knows. */
  readonly since?: string;
  /** What is known of its version is of the class before an edit, which may have named another vault. */
  readonly ofOlderClass?: true;
  /** Why the vault does not give it now; absent where it does. What is known of its version is of before. */
  readonly state?: SyncReason;
  readonly message?: string;
}

/** What one check found of an object. */
export interface FoundObject {
  readonly object: string;
  /** The class names the version itself. */
  readonly isPinned: boolean;
  /** Absent where the vault refused it. */
  readonly version?: string;
  readonly updated?: string;
  readonly expires?: string;
  /** Unix milliseconds: when the vault made the version. */
  readonly created?: number | undefined;
  readonly state?: SyncReason;
  readonly message?: string;
}

export interface StoredObjects {
  /** As the status has them; undefined where nobody followed them until now. */
  readonly stored: readonly ObjectStatus[] | undefined;
  /** The class is not the one that they were stored for: its vault may be another one, too. */
  readonly isEdited: boolean;
  /** Unix milliseconds. */
  readonly now: number;
}

/** Entries, names and messages that a status has room for. The longest name of an object that a vault has is 127 characters long. */
const MOST_OBJECTS = 2_000;
const NAME_CHARACTERS = 150;
const MOST_MESSAGES = 20;
const MESSAGE_CHARACTERS = 256;

/** What the status says of them after a check. */
export function objectStatuses(found: readonly FoundObject[], stored: StoredObjects): readonly ObjectStatus[] {
  // Of a part of them nothing is to be concluded.
  if (found.length > MOST_OBJECTS) return [tooMany(found.length)];
  const before = Map.groupBy(stored.stored ?? [], ({ object }) => object);
  let messages = 0;
  return found.map((each) => {
    const status = statusOf(each, before.get(nameOf(each)) ?? [], stored);
    if (status.message === undefined || ++messages <= MOST_MESSAGES) return status;
    const { message: _, ...short } = status;
    return short;
  });
}

function tooMany(count: number): ObjectStatus {
  const message = `the class has ${count} files; the versions of at most ${MOST_OBJECTS} can be followed`;
  return { object: "all objects", state: "TooLarge", message };
}

/** After a check in which nothing could be learnt: what is known is what was known. */
export function heldObjects(
  { stored, isEdited }: Pick<StoredObjects, "stored" | "isEdited">,
  { reason }: Pick<Told, "reason">,
): readonly ObjectStatus[] | undefined {
  return stored?.map((held) => ({ object: held.object, ...knownOf(held, isEdited), state: reason }));
}

function nameOf({ object }: FoundObject): string {
  return shortText(object, NAME_CHARACTERS);
}

function statusOf(found: FoundObject, before: readonly ObjectStatus[], stored: StoredObjects): ObjectStatus {
  const object = nameOf(found);
  const { version, updated, expires, state, message } = found;
  if (version === undefined) {
    const [held] = before;
    const why = {
      ...(state === undefined ? {} : { state }),
      ...(message === undefined ? {} : { message: shortText(message, MESSAGE_CHARACTERS) }),
    };
    return { object, ...knownOf(held, stored.isEdited), ...why };
  }
  const since = sinceOf(found, before, stored);
  return {
    object,
    version,
    ...(updated === undefined ? {} : { updated }),
    ...(expires === undefined ? {} : { expires }),
    ...(since === undefined ? {} : { since }),
  };
}

function knownOf(held: ObjectStatus | undefined, isEdited: boolean): Omit<ObjectStatus, "object" | "state" | "message"> {
  if (held?.version === undefined) return {};
  const { object: _, state: __, message: ___, ...known } = held;
  return isEdited ? { ...known, ofOlderClass: true } : known;
}

/**
 * The vault says when it made a version, and whoever mounts it later gets it. Only where the class itself decides, by the version or the
 * vault that it names, the time of the edit counts, which is that of the check that followed it. Of what was never seen before nobody
 * knows since when the class names it.
 */
function sinceOf(found: FoundObject, before: readonly ObjectStatus[], { stored, isEdited, now }: StoredObjects): string | undefined {
  const same = before.find(({ version }) => version === found.version);
  if (same !== undefined) return same.since;
  const isByClass = found.isPinned || isEdited || before.length === 0 || before.some(({ ofOlderClass }) => ofOlderClass === true);
  if (stored !== undefined && isByClass) return rfc3339(now);
  if (found.isPinned) return undefined;
  return found.created === undefined ? found.updated : rfc3339(found.created);
}

/** The word for a class that mirrors nothing, and is followed for the workloads that mount it. */
export function summarizeObjects(objects: readonly ObjectStatus[]): Told {
  const [first, ...others] = objects.filter(({ state }) => state !== undefined);
  const all = `it mirrors nothing; the versions of its ${objects.length} objects are followed for workloads that ask for restarts`;
  if (first?.state === undefined) return { reason: "Synced", message: all };
  const failing = `${others.length + 1} of its ${objects.length} objects cannot be had; ${first.object}: ${first.message ?? first.state}`;
  const isAll = others.length + 1 === objects.length;
  return { reason: isAll ? first.state : "PartialSync", message: failing };
}
