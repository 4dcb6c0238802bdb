import { type JsonObject, objectAt, stringAt } from "../json.ts";
import { encodeManagers, type Managers } from "../managed-fields/managers.ts";

/** One state of an object. */
export interface Stored {
  /** `namespace/name`, or the name: by it a collection is ordered. */
  readonly key: string;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly uid: string;
  readonly version: number;
  /** With its managedFields and resourceVersion. */
  readonly object: JsonObject;
  /** What its managedFields say. */
  readonly managers: Managers;
}

/** An object that is to be stored: its version is the store's to give. */
export interface Unstored {
  /** Without resourceVersion; managedFields are written from `managers`. */
  readonly object: JsonObject;
  readonly managers: Managers;
}

export function stored({ object, managers }: Unstored, version: number): Stored {
  const metadata = objectAt(object, "metadata");
  const namespace = stringAt(metadata, "namespace");
  const name = stringAt(metadata, "name") ?? "";
  return {
    key: keyOf(namespace, name),
    namespace,
    name,
    uid: stringAt(metadata, "uid") ?? "",
    version,
    object: { ...object, metadata: stamped(metadata, version, managers) },
    managers,
  };
}

export function keyOf(namespace: string | undefined, name: string): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

/** Metadata with the version and the owners that the object is stored with. */
export function stamped(metadata: JsonObject, version: number | string | undefined, managers: Managers): JsonObject {
  const { managedFields: _managedFields, resourceVersion: _resourceVersion, ...rest } = metadata;
  return {
    ...rest,
    ...(version === undefined ? {} : { resourceVersion: String(version) }),
    ...(managers.length === 0 ? {} : { managedFields: encodeManagers(managers) }),
  };
}

/** The state at another version: what a watch tells of a deletion. */
export function atVersion(object: JsonObject, version: number): JsonObject {
  return { ...object, metadata: { ...objectAt(object, "metadata"), resourceVersion: String(version) } };
}
