import { type JsonObject, objectAt, stringAt } from "../json.ts";
import { encodeManagers, type Managers } from "../managed-fields/managers.ts";

/** One state of an object. */
export interface Stored {
  /** `namespace/name`, or only the name. Collections are sorted by it. */
  readonly key: string;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly uid: string;
  readonly version: number;
  /** Includes managedFields and resourceVersion. */
  readonly object: JsonObject;
  /** The object's managedFields, decoded. */
  readonly managers: Managers;
}

/** An object before the store gives it a version. */
export interface Unstored {
  /** Without resourceVersion. The store writes managedFields from `managers`. */
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

/** Returns the metadata with the version and the managers of the stored object. */
export function stamped(metadata: JsonObject, version: number | string | undefined, managers: Managers): JsonObject {
  const { managedFields: _managedFields, resourceVersion: _resourceVersion, ...rest } = metadata;
  return {
    ...rest,
    ...(version === undefined ? {} : { resourceVersion: String(version) }),
    ...(managers.length === 0 ? {} : { managedFields: encodeManagers(managers) }),
  };
}

/** Returns the object with another version, as a watch reports a deletion. */
export function atVersion(object: JsonObject, version: number): JsonObject {
  return { ...object, metadata: { ...objectAt(object, "metadata"), resourceVersion: String(version) } };
}
