import { type JsonObject, listAt, objectAt, stringAt, withMember } from "../json.ts";
import type { Kind } from "../kind.ts";
import { decodeManagers, type Managers } from "../managed-fields/managers.ts";
import { type Ownership, ownersAfterUpdate } from "../managed-fields/owners.ts";
import { validateApplied } from "../managed-fields/validate.ts";
import { alreadyExists, invalid, Refusal } from "../refusal.ts";
import { keyOf, stamped } from "../store/stored.ts";
import { assertAdmitted, assertNamespace, withoutTwins } from "./admission.ts";
import { assertSize, inNamespace, readBody } from "./body.ts";
import { kindOf, metadataOf, nameOf, nameSuffix, newUid, resourceOf, tellWrite, type Writing, type Written } from "./context.ts";
import { admittedPod } from "./pod-admission.ts";

/** POST. */
export function create(writing: Writing): Written {
  const { kind } = writing;
  assertSize(writing.request.body);
  const body = withoutTwins(inNamespace(writing, withoutSystemFields(readBody(kind, writing.request.body))));
  if (metadataOf(body)["resourceVersion"] !== undefined) {
    throw new Refusal({ code: 500, reason: "", message: "resourceVersion should not be set on objects to be created" });
  }
  const managers = firstManagers(writing, body, givenManagers(body));
  assertNamespace(writing, body);
  return store(writing, withoutManagers(body), managers);
}

/** Who owns the fields of an object that a POST or a PUT makes. */
export function firstManagers(writing: Writing, body: JsonObject, given: Managers): Managers {
  const { kind, fieldManager, timestamp } = writing;
  const after = withoutManagers(body);
  if (!isTrackable(kind, after)) return [];
  return ownersAfterUpdate(ownershipOf(writing), { before: kind.blank, after, managers: given }, { name: fieldManager, now: timestamp });
}

/** Content of another type than its schema says cannot be tracked; then nothing of the object is. */
export function isTrackable(kind: Kind, object: JsonObject): boolean {
  return !kind.isCustom || validateApplied(kind.shape, object, true).length === 0;
}

/** Fields that the server itself fills in belong to nobody. */
function admitted(writing: Writing, body: JsonObject): JsonObject {
  if (writing.kind.collection === "pods") return admittedPod(writing, body);
  return writing.kind.collection === "services" ? addressed(writing, body) : body;
}

/** A Service gets an address of the cluster's own. */
function addressed({ isDryRun, random }: Writing, service: JsonObject): JsonObject {
  const spec = objectAt(service, "spec");
  if (spec["type"] === "ExternalName" || spec["clusterIP"] !== undefined) return service;
  const address = isDryRun
    ? "10.0.0.0"
    : `10.${Math.floor(random() * 250)}.${Math.floor(random() * 250)}.${1 + Math.floor(random() * 250)}`;
  return { ...service, spec: { clusterIP: address, clusterIPs: [address], ipFamilies: ["IPv4"], ipFamilyPolicy: "SingleStack", ...spec } };
}

/** What is left to do where an object is made, be it by a POST, a PUT or an apply. */
export function store(writing: Writing, body: JsonObject, managers: Managers): Written {
  const { kind, collection, timestamp, random } = writing;
  const metadata = metadataOf(body);
  const name = stringAt(metadata, "name") ?? `${stringAt(metadata, "generateName") ?? ""}${nameSuffix(random)}`;
  const isNamed = name !== "" && (stringAt(metadata, "name") !== undefined || stringAt(metadata, "generateName") !== undefined);
  const born = { ...metadata, ...(isNamed ? { name } : {}), uid: newUid(random), creationTimestamp: timestamp };
  const object = kind.prepareCreate({ ...admitted(writing, body), metadata: born });
  const causes = kind.createCauses(object);
  if (causes.length > 0) throw invalid(kindOf(kind, object), nameOf(object), causes);
  assertAdmitted(writing, { object: kind.view(kind.store(object)), oldObject: undefined });
  const taken = collection.get(keyOf(kind.namespaced ? writing.route.namespace : undefined, nameOf(object)));
  if (taken !== undefined) {
    throw alreadyExists(resourceOf(kind), nameOf(object), metadataOf(taken.object)["deletionTimestamp"] !== undefined);
  }
  const stored = { object: kind.store(object), managers };
  const reported = { before: undefined, uidAfter: stringAt(born, "uid"), name };
  if (writing.isDryRun) {
    tellWrite(writing, { ...reported, version: writing.store.version });
    // A version that was asked for is shown, though there is none.
    const given = stringAt(metadataOf(object), "resourceVersion");
    const shown = kind.view(stored.object);
    return { status: 201, object: { ...shown, metadata: stamped(metadataOf(shown), given, managers) } };
  }
  const after = writing.store.put(collection, undefined, stored);
  tellWrite(writing, { ...reported, version: after.version });
  return { status: 201, object: kind.view(after.object) };
}

export function ownershipOf({ kind, subresource }: Writing): Ownership {
  return {
    shape: kind.shape,
    apiVersion: kind.apiVersion,
    subresource,
    ignored: kind.ignoredFields(subresource),
    isKnownVersion: (apiVersion) => kind.isKnownVersion(apiVersion),
  };
}

export function withoutManagers(object: JsonObject): JsonObject {
  const metadata = withMember(metadataOf(object), "managedFields", undefined);
  return metadata === object["metadata"] ? object : { ...object, metadata };
}

/** Owners that the client itself has written into the object. */
export function givenManagers(object: JsonObject): Managers {
  return decodeManagers(listAt(metadataOf(object), "managedFields")) ?? [];
}

/** Fields that are the server's to say. */
function withoutSystemFields(object: JsonObject): JsonObject {
  const {
    uid: _uid,
    creationTimestamp: _creationTimestamp,
    deletionTimestamp: _deletionTimestamp,
    deletionGracePeriodSeconds: _deletionGracePeriodSeconds,
    selfLink: _selfLink,
    ...metadata
  } = metadataOf(object);
  return { ...object, metadata };
}
