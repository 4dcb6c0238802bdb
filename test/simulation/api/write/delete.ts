import { isList, type Json, type JsonObject, listAt, objectAt, stringAt, textOf, withMember } from "../json.ts";
import { withMetadata } from "../kinds/preparing.ts";
import { badRequest, type Cause, conflict, invalid, notFound } from "../refusal.ts";
import { atVersion, keyOf, type Stored, stamped } from "../store/stored.ts";
import { invalidValue, unsupported } from "../validation/cause.ts";
import { dryRunCauses } from "../validation/metadata.ts";
import { assertAdmitted } from "./admission.ts";
import { parseObject } from "./body.ts";
import { metadataOf, resourceOf, tellWrite, timestampOf, type Writing } from "./context.ts";

export type Propagation = "Background" | "Foreground" | "Orphan";

export interface DeleteOptions {
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
  readonly propagation: Propagation | undefined;
  readonly graceSeconds: number | undefined;
  readonly isDryRun: boolean;
}

const POLICIES: readonly string[] = ["Foreground", "Background", "Orphan"];

/** Reads each option from the body, or otherwise from the query. */
export function deleteOptions({ request, route }: Pick<Writing, "request" | "route">): DeleteOptions {
  const body = bodyOf(request.body ?? "");
  const preconditions = objectAt(body, "preconditions");
  const policy = stringAt(body, "propagationPolicy") ?? route.query.get("propagationPolicy");
  const dryRun = textsOf(body?.["dryRun"] ?? route.query.get("dryRun"));
  const causes = [...(policy === undefined || POLICIES.includes(policy) ? [] : [policyCause(policy)]), ...dryRunCauses(dryRun)];
  if (causes.length > 0) throw invalid({ group: "meta.k8s.io", kind: "DeleteOptions" }, "", causes);
  const grace = body?.["gracePeriodSeconds"] ?? route.query.get("gracePeriodSeconds");
  return {
    uid: stringAt(preconditions, "uid"),
    resourceVersion: stringAt(preconditions, "resourceVersion"),
    propagation: policy as Propagation | undefined, // Just checked.
    graceSeconds: grace === undefined ? undefined : Number(grace),
    isDryRun: dryRun.length > 0,
  };
}

function bodyOf(text: string): JsonObject | undefined {
  if (text === "") return undefined;
  const body = parseObject(text);
  if (body === undefined) throw badRequest("couldn't get version/kind; json parse error");
  return body;
}

function textsOf(given: Json | undefined): readonly string[] {
  if (given === undefined) return [];
  return isList(given) ? given.map(textOf) : [textOf(given)];
}

function policyCause(policy: string): Cause {
  return POLICIES.includes(policy)
    ? invalidValue("propagationPolicy", policy, "")
    : unsupported("propagationPolicy", policy, [...POLICIES, "nil"]);
}

/** Answer to a DELETE: the object, or a Status that names it. */
export interface Deleted {
  readonly object: JsonObject | undefined;
  readonly existing: Stored;
}

export function remove(given: Writing): Deleted {
  const { kind, route, collection } = given;
  const options = deleteOptions(given);
  const writing: Writing = { ...given, isDryRun: options.isDryRun || given.isDryRun };
  const existing = collection.get(keyOf(kind.namespaced ? route.namespace : undefined, route.name ?? ""));
  if (existing === undefined) throw notFound(resourceOf(kind), route.name ?? "");
  if (kind.collection === "customresourcedefinitions.apiextensions.k8s.io") return removeDefinition(writing, existing, options);
  if (kind.collection === "namespaces") return removeNamespace(writing, existing, options);
  return removeObject(writing, existing, options);
}

function removeObject(writing: Writing, existing: Stored, options: DeleteOptions): Deleted {
  assertRecord(writing, existing, options);
  assertAdmitted(writing, { object: undefined, oldObject: writing.kind.view(existing.object) });
  const finalizers = finalizersOf(writing, existing, options);
  const grace = graceOf(writing, existing, options);
  if (grace === "pending") return answer(writing, existing, existing.object);
  const marked = marks(writing, existing, { finalizers, grace });
  if (finalizers.length > 0 || (grace ?? 0) > 0) return answer(writing, existing, kept(writing, existing, marked));
  // A pod without a grace period is marked as being deleted, too, and then removed.
  if (grace === 0) return answer(writing, existing, goneMarked(writing, existing, marked));
  return answer(writing, existing, gone(writing, existing));
}

function goneMarked(writing: Writing, existing: Stored, marked: JsonObject): JsonObject {
  if (writing.isDryRun) return { ...marked, metadata: stamped(metadataOf(marked), existing.version, existing.managers) };
  return gone(writing, writing.store.put(writing.collection, existing, { object: marked, managers: existing.managers }));
}

function assertRecord({ kind }: Writing, existing: Stored, { uid, resourceVersion }: DeleteOptions): void {
  const of = { group: kind.group, kind: kind.kind };
  if (uid !== undefined && uid !== existing.uid) {
    const why = `the UID in the precondition (${uid}) does not match the UID in record (${existing.uid}). The object might have been deleted and then recreated`;
    throw conflict(of, existing.name, why);
  }
  if (resourceVersion !== undefined && resourceVersion !== String(existing.version)) {
    const why = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${existing.version}). The object might have been modified`;
    throw conflict(of, existing.name, why);
  }
}

const ORPHAN = "orphan";
const FOREGROUND = "foregroundDeletion";

/** Returns the finalizers after the deletion. Its policy adds and removes the garbage collector's own. */
function finalizersOf({ kind }: Writing, existing: Stored, { propagation }: DeleteOptions): readonly string[] {
  const before = listAt(metadataOf(existing.object), "finalizers").map(String);
  const others = before.filter((finalizer) => finalizer !== ORPHAN && finalizer !== FOREGROUND);
  if (kind.hasNoDependents) return others;
  const policy = propagation ?? (before.includes(ORPHAN) ? "Orphan" : before.includes(FOREGROUND) ? "Foreground" : "Background");
  if (policy === "Orphan") return [...others, ORPHAN];
  return policy === "Foreground" ? [...others, FOREGROUND] : others;
}

/** Returns the grace period of a pod in seconds; undefined if there is none, `pending` if it has already begun. */
function graceOf({ kind }: Writing, existing: Stored, { graceSeconds }: DeleteOptions): number | "pending" | undefined {
  if (kind.collection !== "pods") return undefined;
  const { deletionTimestamp, deletionGracePeriodSeconds } = metadataOf(existing.object);
  const asked = graceSeconds !== undefined && graceSeconds < 0 ? 1 : graceSeconds;
  if (deletionTimestamp !== undefined) {
    const left = Number(deletionGracePeriodSeconds ?? 0);
    if (left === 0) return undefined;
    return asked === undefined || asked >= left ? "pending" : asked;
  }
  const spec = objectAt(existing.object, "spec");
  const phase = objectAt(existing.object, "status")["phase"];
  const isDone = (stringAt(spec, "nodeName") ?? "") === "" || phase === "Failed" || phase === "Succeeded";
  return isDone ? 0 : (asked ?? Number(spec["terminationGracePeriodSeconds"] ?? 0));
}

interface Marking {
  readonly finalizers: readonly string[];
  readonly grace: number | undefined;
}

/** Returns the object marked as being deleted. */
function marks(writing: Writing, existing: Stored, { finalizers, grace }: Marking): JsonObject {
  const metadata = metadataOf(existing.object);
  const isMarked = metadata["deletionTimestamp"] !== undefined;
  const generation = Number(metadata["generation"] ?? 0);
  const time = writing.now() + (grace ?? 0) * 1_000;
  const changed = withMetadata(existing.object, {
    deletionTimestamp: isMarked && grace === undefined ? (metadata["deletionTimestamp"] ?? "") : timestampOf(time),
    deletionGracePeriodSeconds: grace ?? 0,
    ...(isMarked || generation === 0 ? {} : { generation: generation + 1 }),
  });
  return { ...changed, metadata: withMember(metadataOf(changed), "finalizers", finalizers.length === 0 ? undefined : [...finalizers]) };
}

function kept(writing: Writing, existing: Stored, object: JsonObject): JsonObject {
  const { store, collection, isDryRun } = writing;
  const isSame = JSON.stringify(object) === JSON.stringify(existing.object);
  if (isSame || isDryRun) {
    tellWrite(writing, { before: existing, uidAfter: existing.uid, name: existing.name, version: existing.version });
    return isSame ? existing.object : { ...object, metadata: stamped(metadataOf(object), existing.version, existing.managers) };
  }
  const after = store.put(collection, existing, { object, managers: existing.managers });
  tellWrite(writing, { before: existing, uidAfter: existing.uid, name: existing.name, version: after.version });
  return after.object;
}

function gone(writing: Writing, existing: Stored): JsonObject {
  const version = writing.isDryRun ? existing.version : writing.store.remove(writing.collection, existing);
  tellWrite(writing, { before: existing, uidAfter: undefined, name: existing.name, version });
  return atVersion(existing.object, version);
}

/** Returns the object if it stays for now. Otherwise, most kinds return only a Status. */
function answer({ kind, collection, isDryRun }: Writing, existing: Stored, object: JsonObject): Deleted {
  const stays = metadataOf(object)["deletionTimestamp"] !== undefined && (isDryRun || collection.get(existing.key) !== undefined);
  return { object: kind.returnsDeleted || stays ? kind.view(object) : undefined, existing };
}

const CLEANUP = "customresourcecleanup.apiextensions.k8s.io";

/** Marks a CRD as being deleted. Its controller removes the finalizer once the objects are gone. */
function removeDefinition(writing: Writing, existing: Stored, options: DeleteOptions): Deleted {
  assertStorage(writing, existing, options);
  const metadata = metadataOf(existing.object);
  if (metadata["deletionTimestamp"] !== undefined) return removeObject(writing, existing, options);
  assertAdmitted(writing, { object: undefined, oldObject: existing.object });
  const finalizers = listAt(metadata, "finalizers").map(String);
  const marked = withMetadata(existing.object, {
    deletionTimestamp: writing.timestamp,
    finalizers: finalizers.includes(CLEANUP) ? finalizers : [...finalizers, CLEANUP],
  });
  const pending = {
    type: "Terminating",
    status: "True",
    lastTransitionTime: writing.timestamp,
    reason: "InstanceDeletionPending",
    message: "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
  };
  const status = objectAt(marked, "status");
  return answer(
    writing,
    existing,
    kept(writing, existing, { ...marked, status: { ...status, conditions: [...listAt(status, "conditions"), pending] } }),
  );
}

/** Marks a namespace as being deleted. It is removed once its content is gone. */
function removeNamespace(writing: Writing, existing: Stored, options: DeleteOptions): Deleted {
  assertStorage(writing, existing, options);
  const metadata = metadataOf(existing.object);
  if (metadata["deletionTimestamp"] !== undefined) {
    if (listAt(objectAt(existing.object, "spec"), "finalizers").length > 0) return answer(writing, existing, existing.object);
    return removeObject(writing, existing, options);
  }
  assertAdmitted(writing, { object: undefined, oldObject: existing.object });
  const finalizers = finalizersOf(writing, existing, options);
  const marked = withMetadata(existing.object, { deletionTimestamp: writing.timestamp });
  const changed = {
    ...marked,
    metadata: withMember(metadataOf(marked), "finalizers", finalizers.length === 0 ? undefined : [...finalizers]),
  };
  const status = { ...objectAt(existing.object, "status"), phase: "Terminating" };
  return answer(writing, existing, kept(writing, existing, { ...changed, status }));
}

function assertStorage({ kind }: Writing, existing: Stored, { uid, resourceVersion }: DeleteOptions): void {
  const precondition = (what: string, wanted: string, found: string): string =>
    `Precondition failed: ${what} in precondition: ${wanted}, ${what} in object meta: ${found}`;
  if (uid !== undefined && uid !== existing.uid) throw conflict(resourceOf(kind), existing.name, precondition("UID", uid, existing.uid));
  if (resourceVersion !== undefined && resourceVersion !== String(existing.version)) {
    throw conflict(resourceOf(kind), existing.name, precondition("ResourceVersion", resourceVersion, String(existing.version)));
  }
}
