/**
 * The objects of a class that none of its Secrets contains. Pods mount them, and workloads that request restarts depend on their versions.
 * The class's status records them, so that every worker knows since when a new pod mounts a version.
 */
import type { VaultAddress } from "../ports/vault-client.ts";
import type { SyncReason } from "../reasons.ts";
import { SHOWN_AFTER_MS } from "../rollout/mounted-versions.ts";
import type { ObjectStatus, ReportedReason } from "./status-fields.ts";
import { shortText } from "./status-size.ts";
import { rfc3339 } from "./stored-time.ts";

/** Result of one check of an object. */
export interface FoundObject {
  readonly object: string;
  /** As in {@link ObjectStatus}. */
  readonly vault: string;
  /** Whether the class names the version itself. */
  readonly isPinned: boolean;
  /** Absent if the vault refused it. */
  readonly version?: string;
  readonly updated?: string;
  readonly expires?: string;
  /**
   * Unix milliseconds at which the vault created the version. For a history: creation of the youngest version, which shifted the others.
   */
  readonly created?: number | undefined;
  readonly state?: SyncReason;
  readonly message?: string;
}

export interface StoredObjects {
  /** As in the status; undefined if the worker did not track them until now. */
  readonly stored: readonly ObjectStatus[] | undefined;
  /** Unix milliseconds of the last check that found them as stored; undefined if no such check is known. */
  readonly checked?: number | undefined;
  /** Unix milliseconds. */
  readonly now: number;
}

/** Most entries, characters and messages that the status records. The longest name of a vault object is 127 characters long. */
const MOST_OBJECTS = 2_000;
const NAME_CHARACTERS = 150;
const MOST_MESSAGES = 20;
const MESSAGE_CHARACTERS = 256;

/** Returns the vault as in {@link ObjectStatus}. Vault names are unique in their cloud, across tenants. */
export function vaultNamed({ vaultUrl }: Pick<VaultAddress, "vaultUrl">): string {
  return vaultUrl.toLowerCase().replace(/\/$/, "");
}

/** Returns the entries of the status after a check. */
export function objectStatuses(found: readonly FoundObject[], stored: StoredObjects): readonly ObjectStatus[] {
  // Conclusions from a part of the objects would be wrong.
  if (found.length > MOST_OBJECTS) return [tooMany(found.length)];
  const before = Map.groupBy(stored.stored ?? [], ({ object }) => object);
  const claimed = new Set<ObjectStatus>();
  let messages = 0;
  return found.map((each) => {
    const status = statusOf(each, before.get(nameOf(each)) ?? [], { ...stored, claimed });
    if (status.message === undefined || ++messages <= MOST_MESSAGES) return status;
    const { message: _, ...short } = status;
    return short;
  });
}

function tooMany(count: number): ObjectStatus {
  const message = `the class has ${count} files; the versions of at most ${MOST_OBJECTS} can be tracked`;
  return { object: "all objects", state: "TooLarge", message };
}

/** Returns the entries after a check that learned nothing: the stored versions stay. */
export function heldObjects(
  stored: readonly ObjectStatus[] | undefined,
  { reason }: Pick<ReportedReason, "reason">,
): readonly ObjectStatus[] | undefined {
  return stored?.map((held) => ({ ...knownOf(held), state: reason }));
}

function nameOf({ object }: FoundObject): string {
  return shortText(object, NAME_CHARACTERS);
}

interface Claims extends StoredObjects {
  /** Stored entries that are already matched with a found object. */
  readonly claimed: Set<ObjectStatus>;
}

function statusOf(found: FoundObject, before: readonly ObjectStatus[], stored: Claims): ObjectStatus {
  const object = nameOf(found);
  const { vault, version, updated, expires, state, message } = found;
  if (version === undefined) {
    const [held] = before;
    const why = {
      ...(state === undefined ? {} : { state }),
      ...(message === undefined ? {} : { message: shortText(message, MESSAGE_CHARACTERS) }),
    };
    return { ...(held?.version === undefined ? { object, vault } : knownOf(held)), ...why };
  }
  const since = sinceOf(found, before, stored);
  return {
    object,
    vault,
    version,
    ...(updated === undefined ? {} : { updated }),
    ...(expires === undefined ? {} : { expires }),
    ...(since === undefined ? {} : { since }),
  };
}

function knownOf(held: ObjectStatus): Omit<ObjectStatus, "state" | "message"> {
  const { state: _, message: __, ...known } = held;
  return known;
}

/**
 * Returns since when a new pod gets the version. Normally that is the time at which the vault created the version, unless another version
 * was in its place later. That happens if a version is disabled, so that a history contains a much older one, or if the class is edited to
 * name another version or vault. If a version replaces another one and was not created since then, it is new from the check that finds it.
 * If a tracked class has an additional object, the worker does not know since when the class names it, so it is new from this check, too.
 * If two entries of one object have a version that only one entry had before, the version is new in the other entry.
 */
function sinceOf(found: FoundObject, before: readonly ObjectStatus[], { stored, checked = 0, now, claimed }: Claims): string | undefined {
  const ofVault = before.filter(({ vault }) => vault === found.vault);
  const same = ofVault.find((each) => each.version === found.version && !claimed.has(each));
  if (same !== undefined) {
    claimed.add(same);
    return same.since;
  }
  const made = found.created === undefined ? found.updated : rfc3339(found.created);
  if (stored === undefined) return found.isPinned ? undefined : made;
  // For these, an edit of the class itself made the change.
  if (found.isPinned || ofVault.length === 0 || made === undefined) return rfc3339(now);
  const others = ofVault.filter(({ version }) => version !== undefined).map(({ since }) => (since === undefined ? 0 : Date.parse(since)));
  if (others.length === 0) return made;
  return Date.parse(made) > Math.max(checked - SHOWN_AFTER_MS, ...others) ? made : rfc3339(now);
}

/** Returns the reason and message for a class without Secrets that the worker tracks for the workloads that mount it. */
export function summarizeObjects(objects: readonly ObjectStatus[]): ReportedReason {
  const [first, ...others] = objects.filter(({ state }) => state !== undefined);
  if (first?.state === undefined) {
    const followed = objects.length === 1 ? "1 object is tracked" : `${objects.length} objects are tracked`;
    return { reason: "Synced", message: `the class syncs no Secret; ${followed} for restarts` };
  }
  const failing = `${others.length + 1} of its ${objects.length} objects are not available; ${first.object}: ${first.message ?? first.state}`;
  const isAll = others.length + 1 === objects.length;
  return { reason: isAll ? first.state : "PartialSync", message: failing };
}
