import { isEqual, type JsonObject, listAt, objectAt, stringAt, withMember } from "../json.ts";
import type { Kind } from "../kind.ts";
import { decodeManagers, encodeManagers, inOrder, isSameManager, type Manager, type Managers } from "../managed-fields/managers.ts";
import { ownersAfterUpdate } from "../managed-fields/owners.ts";
import { conflict, invalid, MODIFIED, notFound } from "../refusal.ts";
import { keyOf, type Stored, stamped } from "../store/stored.ts";
import { invalidValue } from "../validation/cause.ts";
import { assertAdmitted, assertNamespace, withoutTwins } from "./admission.ts";
import { assertName, assertSize, inNamespace, readBody } from "./body.ts";
import { kindOf, metadataOf, nameOf, resourceOf, tellWrite, type Writing, type Written } from "./context.ts";
import { firstManagers, isTrackable, ownershipOf, store, withoutManagers } from "./create.ts";

/** An object as a request wants it to be, and who owns its fields then. */
export interface Wanted {
  /** Without managedFields. */
  readonly object: JsonObject;
  readonly managers: Managers;
}

/** PUT. */
export function replace(writing: Writing): Written {
  const { kind, route, collection } = writing;
  const name = route.name ?? "";
  assertSize(writing.request.body);
  const body = readBody(kind, writing.request.body);
  const object = inNamespace(writing, body);
  assertName(object, name);
  const existing = collection.get(keyOf(kind.namespaced ? route.namespace : undefined, name));
  assertUid(writing, object, existing);
  if (existing !== undefined) return update(writing, existing, updated(writing, withoutTwins(object), existing));
  if (!kind.createsByUpdate || writing.subresource !== "") throw notFound(resourceOf(kind), name);
  const managers = firstManagers(writing, object, []);
  assertNamespace(writing, object);
  return store(writing, withoutManagers(object), managers);
}

/** The storage's own check, in its own words. */
function assertUid({ kind, route, isDryRun }: Writing, object: JsonObject, existing: Stored | undefined): void {
  const uid = stringAt(metadataOf(object), "uid") ?? "";
  if (uid === "" || uid === existing?.uid) return;
  if (existing === undefined && !kind.createsByUpdate) throw notFound(resourceOf(kind), route.name ?? "");
  const key = `${isDryRun ? "" : "/registry"}/${storagePath(kind)}/${kind.namespaced ? `${route.namespace}/` : ""}${route.name}`;
  const why = `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${uid}, UID in object meta: ${existing?.uid ?? ""}`;
  throw conflict(resourceOf(kind), route.name ?? "", why);
}

/** Where the store keeps a kind. */
function storagePath({ group, plural, isCustom }: Kind): string {
  if (isCustom || group === "apiextensions.k8s.io") return `${group}/${plural}`;
  return plural === "services" ? "services/specs" : plural;
}

/** What a PUT or a patch makes of an object: the client's word, and the owners after it. */
export function updated(writing: Writing, object: JsonObject, existing: Stored): Wanted {
  const { kind } = writing;
  const before = kind.view(existing.object);
  const managers = managersBefore(writing, object, existing);
  const bare = withoutManagers(object);
  // An object that is not tracked stays so, and one that cannot be is not any more.
  if (managers.length === 0 || !isTrackable(kind, bare)) return { object: bare, managers: [] };
  const change = { before: withoutManagers(before), after: bare, managers };
  return {
    object: bare,
    managers: ownersAfterUpdate(ownershipOf(writing), change, { name: writing.fieldManager, now: writing.timestamp }),
  };
}

/** The live owners, unless the client has written others. */
function managersBefore({ subresource }: Writing, object: JsonObject, existing: Stored): Managers {
  const given = metadataOf(object)["managedFields"];
  if (subresource !== "" || given === metadataOf(existing.object)["managedFields"]) return existing.managers;
  if (given === undefined) return existing.managers;
  const entries = listAt(metadataOf(object), "managedFields");
  const isReset =
    entries.length === 0 || (entries.length === 1 && Object.keys(objectAt({ entry: entries[0] ?? {} }, "entry")).length === 0);
  if (isReset) return [];
  const decoded = decodeManagers(entries);
  return decoded === undefined || decoded.length === 0 ? existing.managers : decoded;
}

/** What is left to do where an object changes, be it by a PUT, a patch or an apply. */
export function update(writing: Writing, existing: Stored, { object: wanted, managers }: Wanted): Written {
  const { kind, subresource } = writing;
  const old = kind.view(existing.object);
  const versioned = withVersion(writing, wanted, existing);
  const prepared = kind.prepareUpdate(versioned, withoutManagers(old), subresource);
  const object = withSystemFields(prepared, old);
  const causes = kind.updateCauses({ ...object, metadata: stamped(metadataOf(object), existing.version, managers) }, old, subresource);
  if (causes.length > 0) throw invalid(kindOf(kind, object), nameOf(object), causes);
  const kept = withoutNews(object, managers, existing, old);
  assertAdmitted(writing, { object: { ...object, metadata: stamped(metadataOf(object), existing.version, kept) }, oldObject: old });
  if (isGone(writing, object, existing)) return removed(writing, existing, { object, managers: kept });
  return keep(writing, existing, { object, managers: kept });
}

function withVersion({ kind, route }: Writing, object: JsonObject, existing: Stored): JsonObject {
  const given = stringAt(metadataOf(object), "resourceVersion") ?? "";
  const isSaid = given !== "" && given !== "0";
  const name = route.name ?? "";
  if (!isSaid && kind.needsVersion) {
    const cause = { ...invalidValue("metadata.resourceVersion", null, ""), message: "Invalid value: 0: must be specified for an update" };
    throw invalid({ group: kind.group, kind: kind.plural }, name, [cause]);
  }
  if (isSaid && given !== String(existing.version)) throw conflict(resourceOf(kind), name, MODIFIED);
  return isSaid ? object : { ...object, metadata: { ...metadataOf(object), resourceVersion: String(existing.version) } };
}

/** Fields that no update takes away. */
function withSystemFields(object: JsonObject, old: JsonObject): JsonObject {
  const metadata = metadataOf(object);
  const before = metadataOf(old);
  const { uid = before["uid"], deletionGracePeriodSeconds = before["deletionGracePeriodSeconds"] } = metadata;
  const deletionTimestamp = before["deletionTimestamp"] ?? metadata["deletionTimestamp"];
  const kept = Object.entries({ uid, creationTimestamp: before["creationTimestamp"], deletionTimestamp, deletionGracePeriodSeconds });
  const changed = kept.reduce((changing, [name, value]) => withMember(changing, name, value), metadata);
  return changed === metadata ? object : { ...object, metadata: changed };
}

/**
 * The live owners where nothing but a time of theirs would change: such a write is none. As the API server does, entry for entry in their
 * order, which is by time: an apply that comes after another's passes it, and is written for that alone.
 */
function withoutNews(object: JsonObject, managers: Managers, existing: Stored, old: JsonObject): Managers {
  if (managers === existing.managers || managers.length !== existing.managers.length) return managers;
  const before = inOrder(existing.managers);
  const isSame = inOrder(managers).every((manager, index) => isSameButTime(manager, before[index]));
  return isSame && isSameContent(object, old) ? existing.managers : managers;
}

function isSameButTime(manager: Manager, known: Manager | undefined): boolean {
  if (known === undefined || !isSameManager(known, manager) || known.apiVersion !== manager.apiVersion) return false;
  return known.fields === manager.fields || isEqual(known.fields.encode(), manager.fields.encode());
}

/** Times and all. */
function areSameManagers(managers: Managers, known: Managers): boolean {
  return managers === known || isEqual(encodeManagers(managers), encodeManagers(known));
}

function isSameContent(object: JsonObject, old: JsonObject): boolean {
  const { metadata: _metadata, ...content } = object;
  const { metadata: _oldMetadata, ...before } = old;
  return isEqual(content, before) && isEqual(bareMetadata(object), bareMetadata(old));
}

function bareMetadata(object: JsonObject): JsonObject {
  const { managedFields: _managedFields, resourceVersion: _resourceVersion, ...metadata } = metadataOf(object);
  return metadata;
}

/** The last finalizer of an object that was deleted is gone. */
function isGone({ kind }: Writing, object: JsonObject, existing: Stored): boolean {
  const before = metadataOf(existing.object);
  if (before["deletionTimestamp"] === undefined || listAt(metadataOf(object), "finalizers").length > 0) return false;
  if ((before["deletionGracePeriodSeconds"] ?? 0) !== 0) return false;
  return kind.collection !== "namespaces" || listAt(objectAt(object, "spec"), "finalizers").length === 0;
}

function removed(writing: Writing, existing: Stored, { object, managers }: Wanted): Written {
  const version = writing.isDryRun ? existing.version : writing.store.remove(writing.collection, existing);
  tellWrite(writing, { before: existing, uidAfter: undefined, name: existing.name, version });
  return { status: 200, object: { ...object, metadata: stamped(metadataOf(object), existing.version, managers) } };
}

function keep(writing: Writing, existing: Stored, { object, managers }: Wanted): Written {
  const { kind } = writing;
  const reported = { before: existing, uidAfter: existing.uid, name: existing.name };
  const next = { object: kind.store(object), managers };
  const isSame = isSameContent(next.object, existing.object) && areSameManagers(managers, existing.managers);
  if (isSame || writing.isDryRun) {
    tellWrite(writing, { ...reported, version: existing.version });
    if (isSame) return { status: 200, object: kind.view(existing.object) };
    const shown = kind.view(next.object);
    return { status: 200, object: { ...shown, metadata: stamped(metadataOf(shown), existing.version, managers) } };
  }
  const after = writing.store.put(writing.collection, existing, next);
  tellWrite(writing, { ...reported, version: after.version });
  return { status: 200, object: kind.view(after.object) };
}
