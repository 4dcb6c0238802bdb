/** What the driver says of the files of pods, in `SecretProviderClassPodStatus`, and what follows from that for a restart. */
import { listAt, memberOf } from "../json-members.ts";
import type { KubeObject } from "../kubernetes.ts";
import { CLOCKS_MS, type MountedClass } from "./mounted-versions.ts";
import { type AgingPod, isLive } from "./pod-age.ts";

/** The files of one class in one pod, as the driver wrote them last. */
export interface PodFiles {
  readonly podUid: string;
  readonly className: string;
  /** By what the driver calls the object. */
  readonly versions: ReadonlyMap<string, string>;
  /** Unix milliseconds: the first mount by a pod of this name, or when the driver made the record anew. */
  readonly recordedAt: number;
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
  return { podUid: owner.uid, className, versions: new Map(versions), recordedAt };
}

/** Undefined where there is no record. */
export type FilesOfPod = (podUid: string, className: string) => PodFiles | undefined;

/**
 * Names of the pods whose files the driver has not brought to these versions. A pod that has not started mounts what the vault has when it
 * does; one that runs without a record is behind, because nobody can say that it is not.
 */
export function podsBehind(pods: readonly AgingPod[], classes: readonly MountedClass[], filesOf: FilesOfPod): readonly string[] {
  const isBehind = ({ metadata }: AgingPod): boolean =>
    classes.some(({ className, versions }) => {
      const files = filesOf(metadata.uid ?? "", className);
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
  return pods.filter(isLive).some(({ metadata }) =>
    classes.some(({ className, since }) => {
      const files = filesOf(metadata.uid ?? "", className);
      // A record outlives its pod where another one of the same name comes.
      const mountedAt = files && Math.max(files.recordedAt, Date.parse(metadata.creationTimestamp ?? ""));
      return mountedAt !== undefined && mountedAt + CLOCKS_MS <= since;
    }),
  );
}
