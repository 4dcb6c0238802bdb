/**
 * The objects of a class that no Secret of its holds: pods mount them, and workloads that ask for restarts want to know of their versions.
 * Kept in the class's status, so that every worker knows since when a version is the one that a new pod mounts.
 */
import type { VaultAddress } from "../ports/vault-client.ts";
import type { SyncReason } from "../reasons.ts";
import { SHOWN_AFTER_MS } from "../rollout/mounted-versions.ts";
import type { ObjectStatus, Told } from "./status-fields.ts";
import { shortText } from "./status-size.ts";
import { rfc3339 } from "./stored-time.ts";

/** What one check found of an object. */
export interface FoundObject {
  readonly object: string;
  /** As of {@link ObjectStatus}. */
  readonly vault: string;
  /** The class names the version itself. */
  readonly isPinned: boolean;
  /** Absent where the vault refused it. */
  readonly version?: string;
  readonly updated?: string;
  readonly expires?: string;
  /** Unix milliseconds: when the vault made the version; of a history the youngest one, which moved the others on. */
  readonly created?: number | undefined;
  readonly state?: SyncReason;
  readonly message?: string;
}

export interface StoredObjects {
  /** As the status has them; undefined where nobody followed them until now. */
  readonly stored: readonly ObjectStatus[] | undefined;
  /** Unix milliseconds of the last check that found them as they are stored; undefined: nobody knows of any. */
  readonly checked?: number | undefined;
  /** Unix milliseconds. */
  readonly now: number;
}

/** Entries, names and messages that a status has room for. The longest name of an object that a vault has is 127 characters long. */
const MOST_OBJECTS = 2_000;
const NAME_CHARACTERS = 150;
const MOST_MESSAGES = 20;
const MESSAGE_CHARACTERS = 256;

/** As {@link ObjectStatus} has it. Names of vaults are unique in their cloud, whatever the tenant. */
export function vaultNamed({ vaultUrl }: Pick<VaultAddress, "vaultUrl">): string {
  return vaultUrl.toLowerCase().replace(/\/$/, "");
}

/** What the status says of them after a check. */
export function objectStatuses(found: readonly FoundObject[], stored: StoredObjects): readonly ObjectStatus[] {
  // Of a part of them nothing is to be concluded.
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

/** After a check in which nothing could be learnt: what is known is what was known. */
export function heldObjects(
  stored: readonly ObjectStatus[] | undefined,
  { reason }: Pick<Told, "reason">,
): readonly ObjectStatus[] | undefined {
  return stored?.map((held) => ({ ...knownOf(held), state: reason }));
}

function nameOf({ object }: FoundObject): string {
  return shortText(object, NAME_CHARACTERS);
}

interface Claims extends StoredObjects {
  /** Stored entries whose past is that of an entry already. */
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
 * The vault says when it made a version, and whoever mounts it later gets it, unless another one stood in its place after that: a disabled
 * version leaves a history to one that was made long before, and a class names another version or vault. What takes the place of another
 * one without having been made since is new from the check that finds it. Of what was never seen before nobody knows since when the class
 * names it. Where two entries of one object have a version that one of them had before, it is new in the other.
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
  // Only the class itself decides on these.
  if (found.isPinned || ofVault.length === 0 || made === undefined) return rfc3339(now);
  const others = ofVault.filter(({ version }) => version !== undefined).map(({ since }) => (since === undefined ? 0 : Date.parse(since)));
  if (others.length === 0) return made;
  return Date.parse(made) > Math.max(checked - SHOWN_AFTER_MS, ...others) ? made : rfc3339(now);
}

/** The word for a class that mirrors nothing, and is followed for the workloads that mount it. */
export function summarizeObjects(objects: readonly ObjectStatus[]): Told {
  const [first, ...others] = objects.filter(({ state }) => state !== undefined);
  if (first?.state === undefined) {
    const followed = objects.length === 1 ? "1 object is tracked" : `${objects.length} objects are tracked`;
    return { reason: "Synced", message: `the class syncs no Secret; ${followed} for restarts` };
  }
  const failing = `${others.length + 1} of its ${objects.length} objects are not available; ${first.object}: ${first.message ?? first.state}`;
  const isAll = others.length + 1 === objects.length;
  return { reason: isAll ? first.state : "PartialSync", message: failing };
}
