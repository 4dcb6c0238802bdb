/** Reads the records of versions: the worker's annotations on a Secret, the status of a class, and the driver's status of a pod. */
import { SECRET_ANNOTATIONS } from "../annotations.ts";
import { listAt, nonEmptyText, valueAt } from "../json-members.ts";
import { isJsonObject } from "../json-object.ts";
import type { KubeObject, ObjectMeta } from "../kubernetes.ts";
import { changedAt, timeOf } from "../written-at.ts";
import { type HeldVersion, parseObjectId, parseObjectVersions } from "./object-reference.ts";

/** A Secret that the worker wrote, read only from its metadata. Times are Unix milliseconds. */
export interface StoredSecret {
  readonly namespace: string;
  readonly name: string;
  readonly className: string;
  readonly versions: readonly HeldVersion[];
  /** Time of the worker's last write, which may be a repair. */
  readonly writtenAt: number | undefined;
  readonly createdAt: number | undefined;
}

/** Returns undefined for a Secret that the worker did not write. `writtenAt` is the time of the worker's last write. */
export function storedSecretOf({ metadata }: KubeObject, writtenAt: number | undefined): StoredSecret | undefined {
  const { namespace = "", name, annotations = {}, creationTimestamp } = metadata;
  const [className, objects] = [annotations[SECRET_ANNOTATIONS.class], annotations[SECRET_ANNOTATIONS.objects]];
  if (className === undefined || objects === undefined) return undefined;
  return { namespace, name, className, versions: parseObjectVersions(objects), writtenAt, createdAt: timeOf(creationTimestamp) };
}

/** A version according to the status of the class. */
export interface StatedVersion {
  readonly held: HeldVersion;
  readonly updated: number | undefined;
  readonly expires: number | undefined;
  /** Time when the worker first wrote this version, as far as known. */
  readonly since: number | undefined;
  /** Whether the vault did not return the version at the last check. */
  readonly isHeld: boolean;
}

/** A key of a Secret, according to the status of the class. */
export interface StatedKey extends StatedVersion {
  readonly key: string;
}

export interface StatedClass {
  readonly namespace: string;
  readonly name: string;
  /** Generation of the class at the last check. */
  readonly observedGeneration: number | undefined;
  /** Time when the status was created, Unix milliseconds. */
  readonly createdAt: number | undefined;
  /** Keys by the name of the Secret. */
  readonly secrets: ReadonlyMap<string, readonly StatedKey[]>;
  /** For a class without Secrets: the versions in the vault at the worker's last check. */
  readonly objects: readonly StatedObject[];
}

/**
 * An object of a class that pods only mount, according to the worker. `vault` is the object's vault; undefined if the status does not state
 * it.
 */
export type StatedObject = StatedVersion & { readonly vault: string | undefined };

/** One version in a status, with times in their stored form. */
interface VersionInStatus {
  readonly object?: string;
  readonly version?: string;
  readonly updated?: string;
  readonly expires?: string;
  readonly since?: string;
  readonly state?: string;
}

/** The parts of a class's status that contain versions. */
export interface VersionsInStatus {
  readonly observedClassGeneration?: number;
  readonly secrets: readonly { readonly name: string; readonly data: readonly (VersionInStatus & { readonly key: string })[] }[];
  readonly objects?: readonly (VersionInStatus & { readonly vault?: string })[];
}

/** Reads the worker's status of a class. */
export function statedClassOf(
  { namespace = "", name, creationTimestamp }: Pick<ObjectMeta, "namespace" | "name" | "creationTimestamp">,
  status: VersionsInStatus | undefined,
): StatedClass {
  const secrets = (status?.secrets ?? []).map(({ name: secret, data }): readonly [string, readonly StatedKey[]] => [
    secret,
    data.flatMap((each) => statedVersion(each).map((stated) => ({ ...stated, key: each.key }))),
  ]);
  const objects = (status?.objects ?? []).flatMap((each) => statedVersion(each).map((stated) => ({ ...stated, vault: each.vault })));
  const read = { observedGeneration: status?.observedClassGeneration, createdAt: timeOf(creationTimestamp) };
  return { namespace, name, ...read, secrets: new Map(secrets), objects };
}

function statedVersion({ object = "", version = "", updated, expires, since, state }: VersionInStatus): readonly StatedVersion[] {
  const id = parseObjectId(object);
  if (id === undefined || version === "") return [];
  const times = { updated: timeOf(updated), expires: timeOf(expires), since: timeOf(since) };
  return [{ held: { ...id, version }, ...times, isHeld: state !== undefined }];
}

/** The driver's status of one class in one pod. */
export interface StoredPodStatus {
  readonly namespace: string;
  readonly pod: string;
  /** Uid of the pod, which distinguishes it from an earlier pod with the same name. */
  readonly podUid: string | undefined;
  readonly className: string;
  readonly isMounted: boolean;
  readonly versions: readonly HeldVersion[];
  readonly createdAt: number | undefined;
  /** Unix milliseconds of the driver's last change. The versions arrived at that time or earlier. */
  readonly writtenAt: number | undefined;
  /** Whether the status is unchanged since the driver created it. */
  readonly isFirst: boolean;
}

/** Returns undefined if the object names no pod or class. */
export function storedPodStatusOf(object: KubeObject): StoredPodStatus | undefined {
  const { namespace = "", ownerReferences = [], creationTimestamp } = object.metadata;
  const { status } = object as KubeObject & { readonly status?: unknown }; // Each member is checked when it is read.
  const [pod, className] = ["podName", "secretProviderClassName"].map((field) => nonEmptyText(valueAt(status, [field])));
  if (pod === undefined || className === undefined) return undefined;
  const versions = (isJsonObject(status) ? listAt(status, "objects") : []).flatMap(({ id, version }) => {
    const known = typeof id === "string" ? parseObjectId(id) : undefined;
    return known === undefined || typeof version !== "string" || version === "" ? [] : [{ ...known, version }];
  });
  const [writtenAt, createdAt] = [changedAt("status", object.metadata), timeOf(creationTimestamp)];
  return {
    namespace,
    pod,
    podUid: ownerReferences.find(({ kind }) => kind === "Pod")?.uid,
    className,
    isMounted: valueAt(status, ["mounted"]) === true,
    versions,
    createdAt,
    writtenAt,
    isFirst: writtenAt === createdAt,
  };
}
