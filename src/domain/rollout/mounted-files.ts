/** Evaluates the driver's records of the files in pods, `SecretProviderClassPodStatus`, to decide on restarts. */
import { listAt, memberOf } from "../json-members.ts";
import type { KubeObject, ObjectMeta } from "../kubernetes.ts";
import { changedAt } from "../written-at.ts";
import { CLOCKS_MS, type MountedClass, SHOWN_AFTER_MS } from "./mounted-versions.ts";
import { type AgingPod, isLive } from "./pod-age.ts";

/** The files of one class in one pod, as the driver last recorded them. */
export interface PodFiles {
  readonly podUid: string;
  readonly className: string;
  /** By the driver's name of the object. */
  readonly versions: ReadonlyMap<string, string>;
  /** Unix milliseconds of the first mount by a pod of this name, or of the time when the driver recreated the record. */
  readonly recordedAt: number;
  /** Unix milliseconds of the last change of the record's status. */
  readonly changedAt: number;
}

/** Returns undefined if the record does not describe a pod. */
export function podFilesOf(object: KubeObject): PodFiles | undefined {
  const { metadata } = object;
  const status = memberOf(object, "status");
  const owner = metadata.ownerReferences?.find(({ kind }) => kind === "Pod");
  const className = status["secretProviderClassName"];
  if (owner === undefined || typeof className !== "string" || status["mounted"] !== true) return undefined;
  const versions = listAt(status, "objects").flatMap(({ id, version }): (readonly [string, string])[] =>
    typeof id === "string" && typeof version === "string" ? [[id, version]] : [],
  );
  const recordedAt = Date.parse(metadata.creationTimestamp ?? "");
  return { podUid: owner.uid, className, versions: new Map(versions), recordedAt, changedAt: changedAt("status", metadata) ?? Number.NaN };
}

/** Returns the driver's name for the record of one class in one pod. No other record can have that name. */
export function recordName(namespace: string, podName: string, className: string): string {
  return `${podName}-${namespace}-${className}`;
}

/**
 * Returns undefined if there is no record of this pod and class. A record of an earlier pod of the same name, or of another class, does not
 * count.
 */
export type FilesOfPod = (pod: AgingPod, className: string) => PodFiles | undefined;

/** Whether the record under the pod's name describes this pod. */
export function isRecordOf(files: PodFiles, { metadata }: AgingPod, className: string): boolean {
  return files.podUid === metadata.uid && files.className === className;
}

/**
 * Returns the names of the pods whose files the driver has not updated to these versions. A pod that has not started is not behind, because
 * it mounts the versions that the vault has when it starts. A running pod without a record is behind, because nothing proves the opposite.
 */
export function podsBehind(pods: readonly AgingPod[], classes: readonly MountedClass[], filesOf: FilesOfPod): readonly string[] {
  const isBehind = (pod: AgingPod): boolean =>
    classes.some(({ className, versions }) => {
      const files = filesOf(pod, className);
      return files === undefined || [...versions].some(([object, version]) => files.versions.get(object) !== version);
    });
  return pods
    .filter((pod) => isLive(pod) && pod.status?.phase === "Running" && isBehind(pod))
    .map(({ metadata }) => metadata.name)
    .sort();
}

/**
 * Whether a live pod mounted a class before its versions came, according to the driver's record of the mount. The age of the pod alone does
 * not prove that, because the pod may have waited for the class's objects.
 */
export function hasOldMount(pods: readonly AgingPod[], classes: readonly MountedClass[], filesOf: FilesOfPod): boolean {
  return pods.filter(isLive).some((pod) =>
    classes.some(({ className, since }) => {
      const files = filesOf(pod, className);
      // A record outlives its pod if another pod of the same name replaces it.
      const mountedAt = files && Math.max(files.recordedAt, Date.parse(pod.metadata.creationTimestamp ?? ""));
      return mountedAt !== undefined && mountedAt + CLOCKS_MS <= since;
    }),
  );
}

/**
 * Whether a live pod mounted other versions than these. The driver's record shows that independently of clocks: a vault may return the
 * previous version for some seconds after it created a new one. A record that changed after the pod's own mount showed another version at
 * the mount.
 */
export function hasOtherMount(pods: readonly AgingPod[], classes: readonly MountedClass[], filesOf: FilesOfPod): boolean {
  return pods.filter(isLive).some((pod) =>
    classes.some(({ className, versions }) => {
      const files = filesOf(pod, className);
      return files !== undefined && (showsOthers(files, versions) || isChangedSinceMount(files, pod.metadata));
    }),
  );
}

/** Ignores objects that the record does not contain. */
function showsOthers(files: PodFiles, versions: MountedClass["versions"]): boolean {
  return [...versions].some(([object, version]) => (files.versions.get(object) ?? version) !== version);
}

function isChangedSinceMount({ recordedAt, changedAt }: PodFiles, { creationTimestamp = "" }: ObjectMeta): boolean {
  // The mount changes a record of an earlier pod of the same name.
  const isOwn = recordedAt >= Date.parse(creationTimestamp);
  return isOwn && changedAt > recordedAt + CLOCKS_MS;
}

/**
 * Returns the names of the pods that still have to mount classes with very new versions. Such a pod may get the previous versions, so its
 * versions are unknown.
 */
export function podsUndecided(
  pods: readonly AgingPod[],
  { classes, filesOf, now }: { readonly classes: readonly MountedClass[]; readonly filesOf: FilesOfPod; readonly now: number },
): readonly string[] {
  const young = classes.filter(({ since }) => now < since + SHOWN_AFTER_MS);
  const isOpen = (pod: AgingPod): boolean => young.some(({ className }) => filesOf(pod, className) === undefined);
  return pods
    .filter((pod) => isLive(pod) && pod.status?.phase !== "Running" && isOpen(pod))
    .map(({ metadata }) => metadata.name)
    .sort();
}
