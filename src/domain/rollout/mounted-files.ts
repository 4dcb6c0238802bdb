/** What the driver says of the files of pods, in `SecretProviderClassPodStatus`, and what follows from that for a restart. */
import { listAt, memberOf } from "../json-members.ts";
import type { KubeObject, ObjectMeta } from "../kubernetes.ts";
import { changedAt } from "../written-at.ts";
import { CLOCKS_MS, type MountedClass, SHOWN_AFTER_MS } from "./mounted-versions.ts";
import { type AgingPod, isLive } from "./pod-age.ts";

/** The files of one class in one pod, as the driver wrote them last. */
export interface PodFiles {
  readonly podUid: string;
  readonly className: string;
  /** By what the driver calls the object. */
  readonly versions: ReadonlyMap<string, string>;
  /** Unix milliseconds: the first mount by a pod of this name, or when the driver made the record anew. */
  readonly recordedAt: number;
  /** Unix milliseconds: when somebody last changed what the record says. */
  readonly changedAt: number;
}

/** Undefined where the record says nothing of a pod. */
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

/** The name that the driver gives to the record of one class in one pod. It has one for each, so that no other record can take its place. */
export function recordName(namespace: string, podName: string, className: string): string {
  return `${podName}-${namespace}-${className}`;
}

/** Undefined where there is no record of this pod and class: one of an earlier pod of the name, or of another class, is none. */
export type FilesOfPod = (pod: AgingPod, className: string) => PodFiles | undefined;

/** Whether the record under the pod's name is of this pod. */
export function isRecordOf(files: PodFiles, { metadata }: AgingPod, className: string): boolean {
  return files.podUid === metadata.uid && files.className === className;
}

/**
 * Names of the pods whose files the driver has not brought to these versions. A pod that has not started mounts what the vault has when it
 * does; one that runs without a record is behind, because nobody can say that it is not.
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
 * Whether a pod that runs has mounted a class before its versions came, which the driver's record of the mount proves. The age of a pod alone
 * does not: it may have waited for the class's objects.
 */
export function hasOldMount(pods: readonly AgingPod[], classes: readonly MountedClass[], filesOf: FilesOfPod): boolean {
  return pods.filter(isLive).some((pod) =>
    classes.some(({ className, since }) => {
      const files = filesOf(pod, className);
      // A record outlives its pod where another one of the same name comes.
      const mountedAt = files && Math.max(files.recordedAt, Date.parse(pod.metadata.creationTimestamp ?? ""));
      return mountedAt !== undefined && mountedAt + CLOCKS_MS <= since;
    }),
  );
}

/**
 * Whether a pod that runs has mounted other versions than these, which the driver's record shows whatever clocks say: a vault may give the
 * version before for some seconds after it made one. A record that was changed after the pod's own mount showed another version then.
 */
export function hasOtherMount(pods: readonly AgingPod[], classes: readonly MountedClass[], filesOf: FilesOfPod): boolean {
  return pods.filter(isLive).some((pod) =>
    classes.some(({ className, versions }) => {
      const files = filesOf(pod, className);
      return files !== undefined && (showsOthers(files, versions) || isChangedSinceMount(files, pod.metadata));
    }),
  );
}

/** Of what it does not show, it says nothing. */
function showsOthers(files: PodFiles, versions: MountedClass["versions"]): boolean {
  return [...versions].some(([object, version]) => (files.versions.get(object) ?? version) !== version);
}

function isChangedSinceMount({ recordedAt, changedAt }: PodFiles, { creationTimestamp = "" }: ObjectMeta): boolean {
  // A record of an earlier pod of the name is changed by the mount.
  const isOwn = recordedAt >= Date.parse(creationTimestamp);
  return isOwn && changedAt > recordedAt + CLOCKS_MS;
}

/**
 * Names of the pods that have still to mount classes whose versions are so new that they may get those before. Nobody can say of them
 * which versions they will have.
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
