/** Who keeps a record of versions: the worker's annotations on a Secret, the status of a class, and the driver's status of a pod. */
import { SECRET_ANNOTATIONS } from "../annotations.ts";
import { listAt, nonEmptyText, valueAt } from "../json-members.ts";
import { isJsonObject } from "../json-object.ts";
import type { KubeObject, ObjectRef } from "../kubernetes.ts";
import { changedAt } from "../written-at.ts";
import { type HeldVersion, parseObjectId, parseObjectVersions } from "./object-reference.ts";

/** A Secret of the worker's, by its metadata alone. Times are Unix milliseconds. */
export interface StoredSecret {
  readonly namespace: string;
  readonly name: string;
  readonly className: string;
  readonly versions: readonly HeldVersion[];
  /** Of the worker's last write: a repair is one, too. */
  readonly writtenAt: number | undefined;
  readonly createdAt: number | undefined;
}

/** Undefined for a Secret that the worker did not write. `writtenAt`: when it last did. */
export function storedSecretOf({ metadata }: KubeObject, writtenAt: number | undefined): StoredSecret | undefined {
  const { namespace = "", name, annotations = {}, creationTimestamp } = metadata;
  const [className, objects] = [annotations[SECRET_ANNOTATIONS.class], annotations[SECRET_ANNOTATIONS.objects]];
  if (className === undefined || objects === undefined) return undefined;
  return { namespace, name, className, versions: parseObjectVersions(objects), writtenAt, createdAt: timeOf(creationTimestamp) };
}

/** A key of a Secret as the class's status has it. */
export interface StatedKey {
  readonly key: string;
  readonly held: HeldVersion;
  readonly updated: number | undefined;
  readonly expires: number | undefined;
  /** When the worker wrote this version first, as far as it knows. */
  readonly since: number | undefined;
}

export interface StatedClass {
  readonly namespace: string;
  readonly name: string;
  /** By the Secret's name. */
  readonly secrets: ReadonlyMap<string, readonly StatedKey[]>;
  /** Of a class that makes no Secret, what the vault has by the worker's last check. */
  readonly objects: readonly StatedObject[];
}

/** What the worker knows of an object of a class that is only mounted. `vault`: whose object; undefined where the status does not say. */
export type StatedObject = Omit<StatedKey, "key"> & { readonly vault: string | undefined };

/** What a status says of one version; times as they are stored. */
interface VersionInStatus {
  readonly object?: string;
  readonly version?: string;
  readonly updated?: string;
  readonly expires?: string;
  readonly since?: string;
}

/** The parts of a class's status that name versions. */
export interface VersionsInStatus {
  readonly secrets: readonly { readonly name: string; readonly data: readonly (VersionInStatus & { readonly key: string })[] }[];
  readonly objects?: readonly (VersionInStatus & { readonly vault?: string })[];
}

/** The worker's own words on a class. */
export function statedClassOf({ namespace = "", name }: ObjectRef, status: VersionsInStatus | undefined): StatedClass {
  const secrets = (status?.secrets ?? []).map(({ name: secret, data }): readonly [string, readonly StatedKey[]] => [
    secret,
    data.flatMap((each) => statedVersion(each).map((stated) => ({ ...stated, key: each.key }))),
  ]);
  const objects = (status?.objects ?? []).flatMap((each) => statedVersion(each).map((stated) => ({ ...stated, vault: each.vault })));
  return { namespace, name, secrets: new Map(secrets), objects };
}

function statedVersion({ object = "", version = "", updated, expires, since }: VersionInStatus): readonly Omit<StatedKey, "key">[] {
  const id = parseObjectId(object);
  if (id === undefined || version === "") return [];
  return [{ held: { ...id, version }, updated: timeOf(updated), expires: timeOf(expires), since: timeOf(since) }];
}

/** What the driver wrote of one class in one pod. */
export interface StoredPodStatus {
  readonly namespace: string;
  readonly pod: string;
  /** The pod's, by which one of an earlier pod of the same name is known. */
  readonly podUid: string | undefined;
  readonly className: string;
  readonly isMounted: boolean;
  readonly versions: readonly HeldVersion[];
  /** Unix milliseconds of the driver's last change: the versions came then, or before. */
  readonly writtenAt: number | undefined;
  /** Nothing has changed since the driver made it. */
  readonly isFirst: boolean;
}

/** Undefined where it names no pod or class. */
export function storedPodStatusOf(object: KubeObject): StoredPodStatus | undefined {
  const { namespace = "", ownerReferences = [], creationTimestamp } = object.metadata;
  const { status } = object as KubeObject & { readonly status?: unknown }; // Read member by member.
  const [pod, className] = ["podName", "secretProviderClassName"].map((field) => nonEmptyText(valueAt(status, [field])));
  if (pod === undefined || className === undefined) return undefined;
  const versions = (isJsonObject(status) ? listAt(status, "objects") : []).flatMap(({ id, version }) => {
    const known = typeof id === "string" ? parseObjectId(id) : undefined;
    return known === undefined || typeof version !== "string" || version === "" ? [] : [{ ...known, version }];
  });
  const writtenAt = changedAt("status", object.metadata);
  return {
    namespace,
    pod,
    podUid: ownerReferences.find(({ kind }) => kind === "Pod")?.uid,
    className,
    isMounted: valueAt(status, ["mounted"]) === true,
    versions,
    writtenAt,
    isFirst: writtenAt === timeOf(creationTimestamp),
  };
}

function timeOf(text: string | undefined): number | undefined {
  const time = Date.parse(text ?? "");
  return Number.isNaN(time) ? undefined : time;
}
