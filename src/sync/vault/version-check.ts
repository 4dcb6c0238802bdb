import { objectIdOf } from "../../domain/content/object-file.ts";
import {
  countVersions,
  fileNamesOf,
  hasHistory,
  isMakerOf,
  type ObjectVersion,
  selectVersions,
} from "../../domain/content/version-history.ts";
import { refOfKey } from "../../domain/object-key.ts";
import type { ObjectReader } from "../../domain/ports/vault-client.ts";
import { VaultError } from "../../domain/ports/vault-error.ts";
import type { VaultVersion } from "../../domain/ports/vault-object.ts";
import { MAX_VERSIONS } from "../../domain/provider-class/class-limits.ts";
import type { ClassObject, ObjectType } from "../../domain/provider-class/object-rules.ts";
import { CLOCK_MARGIN_MS, type ObjectCheck, stillHolds, type VaultListing } from "../../domain/schedule/object-check.ts";
import { untilNextPoll } from "../../domain/schedule/phase.ts";
import type { SecretObjectEntries } from "../../domain/secret-data/data-entries.ts";
import { keyDates } from "../../domain/sync/key-status.ts";
import { listVersions, refusedObject } from "./fetch-objects.ts";
import { type Known, type KnownObjects, type KnownVersion, sourcesOf } from "./known-files.ts";
import type { CheckTiming, FetchRequest, HintedObjects, StoredFetchRequest } from "./mirror.ts";
import type { AskedObject, ObjectFailure } from "./object-refusals.ts";
import { type ObjectVersionCache, type Reading, type RecordedCheck, versionCacheKey } from "./object-version-cache.ts";
import { entrySecretName, filesOf, StoredVersions } from "./stored-versions.ts";
import { type ClassPoll, isFresh } from "./vault-listings.ts";

const NOTHING_KNOWN: KnownObjects = new Map();

/** Milliseconds within which the worker notices that a pinned version was disabled or deleted. The version itself never changes. */
const PINNED_MS = 86_400_000;

/** Objects and Secrets of a class, and the request for them. */
export interface CheckInput {
  /** `namespace/name` of the class. */
  readonly classKey: string;
  readonly objects: readonly ClassObject[];
  readonly secretObjects: readonly SecretObjectEntries[];
  readonly fetchRequest: FetchRequest;
  /** Objects that the vault's list no longer has, and that the Secrets keep for now. */
  readonly leaving: ReadonlySet<ClassObject>;
  /** Unix milliseconds. */
  readonly now: number;
}

export interface VersionCheck {
  /** Objects to fetch. */
  readonly wanted: readonly ClassObject[];
  /** Known failures, which a GET would only repeat. */
  readonly failures: readonly ObjectFailure[];
  /** Names of the Secrets that match the vault. */
  readonly unchanged: ReadonlySet<string>;
  readonly reader: ObjectReader;
  /** State of the class's objects, as far as it is known without a fetch. */
  readonly known: KnownObjects;
  /** Time in Unix milliseconds since which every object has been checked; undefined if some were not. */
  readonly checkedAt: number | undefined;
  /** All objects of the class if the lists alone have shown that none of them changed; otherwise absent. */
  readonly seen?: readonly SeenObject[] | undefined;
}

/** An object that a list of its vault covers, with its last known state. */
export interface SeenObject extends AskedObject {
  readonly recorded: RecordedCheck;
}

/** Decides which objects of a class to fetch: all, those of damaged Secrets, or those that have changed. */
export async function checkVersions(versionCache: ObjectVersionCache, input: CheckInput, signal: AbortSignal): Promise<VersionCheck> {
  const { classKey, objects, fetchRequest, now } = input;
  const { due, period } = fetchRequest;
  const forgottenAfter = forgottenFrom(versionCache, { classKey, period, now });
  const keys = objects.filter((object) => !hasHistory(object)).map(versionCacheKey);
  versionCache.interests.name(classKey, { keys, until: forgottenAfter }, now);
  if (fetchRequest.kind === "everything") {
    const reader = versionCache.reader({ classKey, due, period, notBefore: now - fetchRequest.sharedMs });
    return { wanted: objects, failures: [], unchanged: new Set(), reader, known: NOTHING_KNOWN, checkedAt: now };
  }
  if (fetchRequest.kind === "repair") return repairCheck(versionCache, input, fetchRequest);
  if (fetchRequest.kind === "hinted") return hintedCheck(versionCache, input, fetchRequest);
  return changesCheck(versionCache, { ...input, fetchRequest }, signal);
}

/** Minimum milliseconds before a class is forgotten: while thousands wait for their first sync, checks are many intervals late. */
const LEAST_MEMORY_MS = 600_000;

/** Returns the time in Unix milliseconds after which a class without a check counts as deleted, or as moved to another vault. */
export function forgottenFrom(
  versionCache: ObjectVersionCache,
  { classKey, period, now }: Pick<CheckInput, "classKey" | "now"> & Pick<CheckTiming, "period">,
): number {
  return now + Math.max(LEAST_MEMORY_MS, 2 * period * versionCache.stretchFor(classKey));
}

function repairCheck(versionCache: ObjectVersionCache, input: CheckInput, fetchRequest: StoredFetchRequest): VersionCheck {
  return withoutLists(versionCache, input, { fetchRequest, notBefore: input.now, isTouched: () => false });
}

/** Checks as a repair does, and also requests the objects of Secrets that contain a hinted object. */
function hintedCheck(versionCache: ObjectVersionCache, input: CheckInput, fetchRequest: StoredFetchRequest): VersionCheck {
  const notBefore = fetchRequest.hints?.since ?? input.now;
  return withoutLists(versionCache, input, { fetchRequest, notBefore, isTouched: touchedBy(input, fetchRequest.hints) });
}

/** Returns a function that reports whether the Secret contains a hinted object. */
function touchedBy(
  { objects }: Pick<CheckInput, "objects">,
  hints: HintedObjects | undefined,
): (secretObject: SecretObjectEntries) => boolean {
  const isMade = fileNamesOf(objects.filter((object) => isHinted(object, hints)));
  return (secretObject) => filesOf([secretObject]).some(isMade);
}

interface WithoutLists {
  readonly fetchRequest: StoredFetchRequest;
  /** Unix milliseconds. Answers to requests that began earlier do not count. */
  readonly notBefore: number;
  /** Whether to rebuild the Secret although it is intact. */
  readonly isTouched: (secretObject: SecretObjectEntries) => boolean;
}

/** Checks a class without lists: one GET for each object of the Secrets that are damaged or touched. */
function withoutLists(
  versionCache: ObjectVersionCache,
  { classKey, objects, secretObjects }: CheckInput,
  { fetchRequest: { intact, stored, due, period }, notBefore, isTouched }: WithoutLists,
): VersionCheck {
  const synced = new Set(stored.filter(({ state }) => state === "Synced").map(({ name }) => name));
  const isUnchanged = (secretObject: SecretObjectEntries): boolean => {
    const name = entrySecretName(secretObject);
    return intact.has(name) && synced.has(name) && !isTouched(secretObject);
  };
  const unchanged = new Set(secretObjects.filter(isUnchanged).map(entrySecretName));
  const damaged = secretObjects.filter((secretObject) => !unchanged.has(entrySecretName(secretObject)));
  const wanted = objects.filter(isMakerOf(filesOf(damaged)));
  const reader = versionCache.reader({ classKey, due, period, notBefore });
  const checkedAt = wanted.length === objects.length ? notBefore : undefined;
  return { wanted, failures: [], unchanged, reader, known: NOTHING_KNOWN, checkedAt };
}

/** Whether a hint is about the object. No event is about a version that the class names by its id. */
function isHinted(object: ClassObject, hints: HintedObjects | undefined): boolean {
  if (hints === undefined || (object.version !== undefined && !hasHistory(object))) return false;
  return hints.keys.has(versionCacheKey({ ...object, version: undefined }));
}

type ChangesInput = CheckInput & { readonly fetchRequest: StoredFetchRequest };

async function changesCheck(versionCache: ObjectVersionCache, input: ChangesInput, signal: AbortSignal): Promise<VersionCheck> {
  const { classKey, objects, secretObjects, fetchRequest, now } = input;
  const { due, interval, period } = fetchRequest;
  const poll = { due, interval, period, namespace: refOfKey(classKey).namespace };
  const listings = await listingsOf(versionCache, new Set(objects.filter(isListed).map(({ type }) => type)), { poll, signal });
  const takenAt = Math.min(now, ...[...listings.values()].map((listing) => listing?.takenAt ?? now));
  const reading: Reading = { classKey, due, period, notBefore: Math.max(takenAt, fetchRequest.hints?.since ?? takenAt) };
  const reader = versionCache.reader(reading);
  const held = new StoredVersions({ objects, secretObjects, stored: fetchRequest.stored, mounted: fetchRequest.storedObjects });
  const known = new Map<ClassObject, Known>();
  const room = { versions: MAX_VERSIONS };
  const isNeededForHint = neededForHints(input);
  for (const object of objects) {
    const knowing = { input, versionCache, reader, held, room, listing: listings.get(object.type), isNeededForHint };
    known.set(object, await knownOf(knowing, object, signal));
  }
  const sourceOf = sourcesOf(known);
  const isUnchanged = (secretObject: SecretObjectEntries): boolean =>
    fetchRequest.intact.has(entrySecretName(secretObject)) && held.isAsStored(secretObject, sourceOf);
  const unchanged = new Set(secretObjects.filter(isUnchanged).map(entrySecretName));
  const changed = secretObjects.filter((secretObject) => !unchanged.has(entrySecretName(secretObject)));
  const isNeeded = isMakerOf(filesOf(changed));
  const isWanted = (object: ClassObject): boolean => {
    const found = known.get(object);
    return found === undefined || (found.kind === "found" && isNeeded(object));
  };
  const failures = [...known.values()].flatMap((state) => (state?.kind === "failed" ? [state.failure] : []));
  const checkedAt = Math.min(now, ...[...known.values()].map((state) => state?.at ?? now));
  const wanted = objects.filter(isWanted);
  versionCache.countUnchanged(objects.length - wanted.length);
  const seen = wanted.length + failures.length === 0 ? seenObjects(versionCache, objects, listings) : undefined;
  return { wanted, failures, unchanged, reader, known, checkedAt, seen };
}

/** Returns the objects with their last known state; undefined if a list does not cover one of them. */
function seenObjects(
  versionCache: ObjectVersionCache,
  objects: readonly ClassObject[],
  listings: Listings,
): readonly SeenObject[] | undefined {
  const seen: SeenObject[] = [];
  for (const object of objects) {
    const { type, name, version, history, format, encoding } = object;
    const recorded = versionCache.checkOf(object);
    if (recorded === undefined || !isListed(object) || listings.get(type) === undefined) return undefined;
    seen.push({ type, name, version, history, format, encoding, recorded });
  }
  return seen;
}

/** Returns a function that reports whether a Secret with a hinted object needs the object: without it, the worker does not write the Secret. */
function neededForHints({ objects, secretObjects, fetchRequest: { hints } }: ChangesInput): (object: ClassObject) => boolean {
  if (hints === undefined) return () => false;
  return isMakerOf(filesOf(secretObjects.filter(touchedBy({ objects }, hints))));
}

type Listings = ReadonlyMap<ObjectType, VaultListing | undefined>;

/** Returns for each type the list that serves the poll; undefined if none is available. */
export async function listingsOf(
  versionCache: ObjectVersionCache,
  types: ReadonlySet<ObjectType>,
  { poll, signal }: { readonly poll: ClassPoll; readonly signal: AbortSignal },
): Promise<Listings> {
  const listings = new Map<ObjectType, VaultListing | undefined>();
  for (const type of types) listings.set(type, await versionCache.listings.current(type, poll, signal));
  return listings;
}

/** Whether lists cover the object: they contain the attributes of the current version. */
function isListed(object: ClassObject): boolean {
  return object.version === undefined && !hasHistory(object);
}

interface Knowing {
  readonly input: ChangesInput;
  readonly versionCache: ObjectVersionCache;
  readonly reader: ObjectReader;
  readonly held: StoredVersions;
  /** Number of versions of histories that the class may still have. */
  readonly room: { versions: number };
  readonly listing: VaultListing | undefined;
  readonly isNeededForHint: (object: ClassObject) => boolean;
}

function knownOf(knowing: Knowing, object: ClassObject, signal: AbortSignal): Known | Promise<Known> {
  if (knowing.input.leaving.has(object)) return asHeld(knowing, object);
  if (isUnseen(knowing, object)) return undefined;
  const refused = knownRefusal(knowing, object);
  if (refused !== undefined) return refused;
  if (hasHistory(object)) return knownHistory(knowing, object, signal);
  if (object.version !== undefined) return knownPinned(knowing, object);
  return knowing.listing === undefined ? knownRecently(knowing, object) : knownByList(knowing, object, knowing.listing);
}

function asHeld({ held, input: { now } }: Knowing, object: ClassObject): Known {
  const last = held.keyMadeFrom(object);
  if (last === undefined) return undefined;
  const { version, updated, expires } = last;
  const dates = { ...(updated === undefined ? {} : { updated }), ...(expires === undefined ? {} : { expires }) };
  const known = { path: object.path, object: objectIdOf(object), ...(version === undefined ? {} : { version }), ...dates, isWhole: true };
  return { kind: "found", versions: [known], at: now };
}

/**
 * Whether an event reported the object, or a change of access since its refusal, and no class has read it since then. The list may be older
 * than the event. A refusal from before the event does not count for the Secrets of the event's object either: no event reports that an
 * object is enabled again.
 */
function isUnseen({ versionCache, isNeededForHint, input: { fetchRequest } }: Knowing, object: ClassObject): boolean {
  const { hints } = fetchRequest;
  if (hints === undefined) return false;
  const lastCheck = versionCache.checkOf(object)?.lastCheck;
  if (hints.isAccessChanged || isNeededForHint(object)) {
    const refusedAt = lastCheck?.kind === "refused" ? lastCheck.queriedAt : versionCache.refusals.of(object)?.at;
    if (refusedAt !== undefined && refusedAt < hints.since) return true;
  }
  if (hasHistory(object) || !isHinted(object, hints)) return false;
  return (lastCheck?.queriedAt ?? Number.NEGATIVE_INFINITY) < hints.since;
}

/** Returns the failure of an attempt in this interval, unless a list or a read is newer. */
function knownRefusal({ versionCache, input: { classKey, fetchRequest }, listing }: Knowing, object: ClassObject): Known {
  const refusal = versionCache.refusals.of(object);
  if (refusal === undefined || !isFresh(refusal, fetchRequest, versionCache.stretchFor(classKey))) return undefined;
  const listedAt = isListed(object) ? listing?.takenAt : undefined;
  const seenAt = Math.max(listedAt ?? 0, versionCache.checkOf(object)?.lastCheck.queriedAt ?? 0);
  return seenAt > refusal.at ? undefined : { kind: "failed", failure: { ...refusal.failure, object }, at: refusal.at };
}

function knownPinned({ versionCache, input, held }: Knowing, object: ClassObject): Known {
  const known = versionCache.checkOf(object);
  const recorded = known ?? recalled(input, held, object);
  // From now on, the day counts from this state for all classes that name the version.
  if (known === undefined && recorded !== undefined) versionCache.recall(object, recorded);
  const isDue = recorded === undefined || input.now >= recorded.lastCheck.queriedAt + PINNED_MS;
  return isDue || recorded.lastCheck.kind === "refused" ? undefined : asKnown(object, recorded, input.now);
}

/** Returns, without a list, what a class with the same identity has read since the last poll. */
function knownRecently({ versionCache, input: { classKey, fetchRequest } }: Knowing, object: ClassObject): Known {
  const recorded = versionCache.checkOf(object);
  const isRecent = recorded !== undefined && isFresh(recorded, fetchRequest, versionCache.stretchFor(classKey));
  return isRecent ? asKnown(object, recorded, recorded.lastCheck.queriedAt) : undefined;
}

function knownByList({ versionCache, input, held }: Knowing, object: ClassObject, listing: VaultListing): Known {
  const recorded = versionCache.checkOf(object);
  const candidate = recorded ?? recalled(input, held, object);
  if (candidate === undefined || !stillHolds(candidate.lastCheck, listing, object.name)) return undefined;
  if (recorded === undefined) versionCache.recall(object, candidate);
  return asKnown(object, candidate, Math.max(listing.takenAt, candidate.lastCheck.queriedAt));
}

function asKnown(object: ClassObject, { lastCheck, error }: RecordedCheck, at: number): Known {
  if (lastCheck.kind === "found") {
    const { version, created, updated, expires } = lastCheck;
    const known = { path: object.path, object: objectIdOf(object), version, ...keyDates({ updated, expires }), created, isWhole: true };
    return { kind: "found", versions: [known], at };
  }
  if (error === undefined) return undefined;
  return { kind: "failed", failure: refusedObject(object, error, { ...object, index: undefined }), at };
}

/** Lists the versions of an object: the list of the vault's objects does not show that an older version was disabled. */
async function knownHistory({ versionCache, reader, room, input }: Knowing, object: ClassObject, signal: AbortSignal): Promise<Known> {
  try {
    const listed = await listVersions(reader, object, signal);
    // The vault gives the reason for an empty list only in answer to a request for the object itself.
    if (listed.length === 0) return undefined;
    const count = countVersions(object, listed);
    // The fetch reports that there are too many versions.
    if (count > room.versions) return undefined;
    room.versions -= count;
    return { kind: "found", versions: historyVersions(object, listed), at: input.now };
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    const failure = refusedObject(object, error, undefined);
    versionCache.refusals.note({ ...input, asked: [object], failures: [failure] });
    return { kind: "failed", failure, at: input.now };
  }
}

/** Returns the versions of a history from which its files are made. */
export function historyVersions(object: ClassObject, listed: readonly VaultVersion[]): readonly KnownVersion[] {
  const made = new Map(listed.map(({ version, created }) => [version, created]));
  return selectVersions(object, listed).map((selected) => historyVersion(selected, made.get(selected.version ?? "")));
}

/** `created` is 0 if the vault does not report it. */
function historyVersion(object: ObjectVersion, created: number = 0): KnownVersion {
  const { version, path } = object;
  const made = created === 0 ? {} : { created };
  return { path, object: objectIdOf(object), ...(version === undefined ? {} : { version }), ...made, isWhole: false };
}

/** Returns the state that an earlier process saw, by its status; settled if the check came well after the second of the change. */
function recalled(
  { fetchRequest: { checked, period }, classKey, now }: ChangesInput,
  stored: StoredVersions,
  object: ClassObject,
): RecordedCheck | undefined {
  const held = stored.keyMadeFrom(object);
  if (held?.version === undefined || held.updated === undefined || checked === undefined) return undefined;
  const updated = Date.parse(held.updated);
  const expires = held.expires === undefined ? undefined : Date.parse(held.expires);
  const isSettled = checked - updated >= CLOCK_MARGIN_MS;
  // Spreads the next checks of pinned versions over the day after a start.
  const wait = untilNextPoll({ cluster: classKey, key: objectIdOf(object), interval: PINNED_MS, now });
  const isPinned = object.version !== undefined;
  if (isPinned && held.version !== object.version) return undefined;
  const queriedAt = isPinned ? now + wait - PINNED_MS : checked;
  const lastCheck: ObjectCheck = { kind: "found", version: held.version, updated, expires, isEnabled: true, queriedAt, isSettled };
  return { lastCheck, error: undefined, due: queriedAt, period };
}
