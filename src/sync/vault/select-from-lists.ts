import type { SecretProviderClassSpec } from "../../domain/kubernetes.ts";
import { refOfKey } from "../../domain/object-key.ts";
import type { ClassObject, ObjectType } from "../../domain/provider-class/object-rules.ts";
import type { VaultListing } from "../../domain/schedule/object-check.ts";
import { secretObjectEntries } from "../../domain/secret-data/data-entries.ts";
import { objectSelectorsOf } from "../../domain/secret-data/read-selectors.ts";
import { type Selection, selectObjects } from "../../domain/secret-data/select-objects.ts";
import type { FetchRequest } from "./mirror.ts";
import type { ObjectVersionCache } from "./object-version-cache.ts";
import { forgottenFrom } from "./version-check.ts";

export interface SelectingClass {
  /** `namespace/name` */
  readonly classKey: string;
  readonly spec: SecretProviderClassSpec | undefined;
  /** Objects that the class names. */
  readonly objects: readonly ClassObject[];
  readonly fetchRequest: FetchRequest;
  /** Unix milliseconds. */
  readonly now: number;
}

/** Returns the objects and Secrets of a class with the objects that its selectors match; without selectors, the class as it is. */
export async function selectFromLists(
  versionCache: ObjectVersionCache,
  { classKey, spec, objects, fetchRequest, now }: SelectingClass,
  signal: AbortSignal,
): Promise<Selection> {
  const { interests, listings, selections } = versionCache;
  const secretObjects = secretObjectEntries(spec);
  const read = spec && objectSelectorsOf(spec);
  const selectors = read?.ok ? read.value : new Map();
  const types = new Set<ObjectType>([...selectors.values()].map(({ type }) => type));
  selections.note(classKey, [...selectors.values()]);
  if (types.size === 0) return { objects, secretObjects, problems: new Map(), unlisted: undefined, leaving: new Set() };
  interests.keep(classKey, forgottenFrom(versionCache, { classKey, period: fetchRequest.period, now }));
  const { due, interval, period, selection: { held = [], isKept = false } = {} } = fetchRequest;
  const lists = new Map<string, VaultListing>();
  const notBefore = listedSince(fetchRequest, now);
  for (const type of types) {
    const listing = await listings.current(
      type,
      {
        due,
        interval,
        period,
        namespace: refOfKey(classKey).namespace,
        isSelecting: true,
        ...(notBefore === undefined ? {} : { notBefore }),
      },
      signal,
    );
    if (listing !== undefined) lists.set(type, listing);
  }
  const wasAbsent = selections.absences(classKey);
  return selectObjects({
    objects,
    secretObjects,
    selectors,
    listingOf: (type) => lists.get(type),
    stored: held,
    mayGo: (objectId) => {
      const takenAt = lists.get(objectId.split("/", 1)[0] ?? "")?.takenAt;
      return !isKept && takenAt !== undefined && wasAbsent(objectId, takenAt);
    },
  });
}

/**
 * Returns the time in Unix milliseconds from which a list counts; undefined if every list does. A request for everything needs the current
 * state; a request after a change of access needs a list from after that change.
 */
function listedSince(fetchRequest: FetchRequest, now: number): number | undefined {
  if (fetchRequest.kind === "everything") return now - fetchRequest.sharedMs;
  return fetchRequest.hints?.isAccessChanged === true ? fetchRequest.hints.since : undefined;
}
