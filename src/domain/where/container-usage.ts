import type { ClassObject } from "../provider-class/object-rules.ts";
import type { Arrival, KeyVersion } from "./key-version.ts";
import { referenceKey } from "./object-reference.ts";
import type { ContainerUse, ObservedContainer, PodUse } from "./pod-use.ts";
import { isUneditedSince, type ReadClass } from "./read-class.ts";
import type { Snapshot } from "./snapshot.ts";
import type { StoredPodStatus } from "./stored-versions.ts";
import type { ContainerUsage, Evidence } from "./usage.ts";

/** A use of the object, before its version is compared. */
export interface FoundUse extends Omit<ContainerUsage, "state"> {
  /** The entries of the class from which the files or the key are made. */
  readonly entries: readonly ClassObject[];
  /**
   * State that does not depend on the newest version: an older version, no process that could have a version, or an earlier place in a
   * history, which the class requests.
   */
  readonly certainty?: "older" | "not-running" | "asked";
  /** Whether the driver reported the version for the vault that the class names now. */
  readonly isConfirmed?: boolean;
}

type Found = Pick<FoundUse, "version" | "evidence" | "since" | "certainty" | "why" | "isConfirmed">;

/** Returns the certainty for the version of a key. */
export function certaintyOf({ version, index }: Pick<KeyVersion, "version" | "index">): Pick<FoundUse, "certainty"> {
  return version !== undefined && (index ?? 0) > 0 ? { certainty: "asked" } : {};
}

/** Time in milliseconds until a volume of a Secret has the content of the Secret: the kubelet's sync interval of a pod, with a margin. */
const KUBELET_MS = 120_000;

/** Returns the uses as files in the pods that mount the class. `entries` are the class's entries that name the object. */
export function mountUses(snapshot: Snapshot, spc: ReadClass, entries: readonly ClassObject[]): readonly FoundUse[] {
  return snapshot.podsOfClass(spc.namespace, spc.name).flatMap((pod) => {
    const status = snapshot.podStatus(pod, spc.name);
    const isConfirmed = isUneditedSince(spc, status?.createdAt);
    const reported = { ...reportedFiles(snapshot, pod, status, entries), isConfirmed };
    const base = { ...placeOf(pod), via: "mount" as const, from: spc.name, className: spc.name, entries };
    const mounting = pod.containers.flatMap((container) =>
      container.uses.flatMap((use) => (use.kind === "mount" && use.className === spc.name ? [{ container, use }] : [])),
    );
    if (mounting.length === 0) return [{ ...base, container: undefined, ...reported }];
    const covering = mounting.filter(({ use }) => entries.some(({ path }) => covers(use.subPath, path)));
    return distinctContainers(
      covering.map(({ container, use }) => ({ ...base, container: container.name, ...inContainer(container, use, status, reported) })),
    );
  });
}

function placeOf({ namespace, name, workload, node }: PodUse): Pick<ContainerUsage, "namespace" | "pod" | "workload" | "node"> {
  return { namespace, pod: name, workload, node };
}

/** Removes duplicates. A container may mount the whole volume and a part of it. */
function distinctContainers(uses: readonly FoundUse[]): readonly FoundUse[] {
  const seen = new Map(uses.map((use) => [`${use.container ?? ""} ${use.version ?? ""} ${use.evidence}`, use]));
  return [...seen.values()];
}

function unknown(why: string): Found {
  return { version: undefined, evidence: "none", since: undefined, why };
}

function reportedFiles(snapshot: Snapshot, pod: PodUse, status: StoredPodStatus | undefined, entries: readonly ClassObject[]): Found {
  if (status === undefined) {
    return unknown(
      snapshot.unseen("podStatuses", pod.namespace) ?? "the driver has no status for it, because the pod has not mounted the class yet",
    );
  }
  if (status.podUid !== undefined && status.podUid !== pod.uid)
    return unknown("the driver's status belongs to an earlier pod of that name");
  if (!status.isMounted) return unknown("the driver reports that the class is not mounted");
  const names = new Set(entries.map(referenceKey));
  const held = status.versions.find((each) => names.has(referenceKey(each)) && (each.index ?? 0) === 0);
  if (held === undefined) return unknown("the files were written before the class named the object");
  return { version: held.version, evidence: "pod-status", since: status.writtenAt };
}

/**
 * Determines the version in a container. A part of a volume never changes after the container started. A whole volume follows the driver,
 * even while the container waits.
 */
function inContainer(container: ObservedContainer, use: ContainerUse, status: StoredPodStatus | undefined, reported: Found): Found {
  if (container.state.kind === "ended") return notRunning();
  if (use.kind !== "mount" || use.subPath === undefined || reported.version === undefined) return reported;
  const { state } = container;
  if (state.kind !== "running") return notRunning();
  const { writtenAt = Number.POSITIVE_INFINITY, isFirst = false, versions = [] } = status ?? {};
  if (isFirst || state.startedAt > writtenAt) return { version: reported.version, evidence: "started-after", since: state.startedAt };
  if (versions.length === 1) return older(state.startedAt);
  return unknown(
    "it mounts a subPath, which is not updated; the driver changed files of the class after the container started, and which files is not known",
  );
}

function notRunning(): Found {
  return { version: undefined, evidence: "none", since: undefined, certainty: "not-running" };
}

function older(startedAt: number): Found {
  return { version: undefined, evidence: "started-before", since: startedAt, certainty: "older" };
}

/**
 * Returns the uses as variables and volumes in the pods that use the Secret. `keys` are the Secret's keys that are made from the object.
 */
export function secretUses(snapshot: Snapshot, spc: ReadClass, secret: string, keys: readonly KeyVersion[]): readonly FoundUse[] {
  return snapshot.podsOfSecret(spc.namespace, secret).flatMap((pod) =>
    pod.containers.flatMap((container) => {
      const uses = container.uses.flatMap((use): readonly FoundUse[] => {
        if (use.kind === "mount" || use.secret !== secret) return [];
        const used = keys.filter((key) => usesKey(use, key.key));
        const base = { ...placeOf(pod), container: container.name, via: use.kind, from: secret, className: spc.name };
        return used.map((key) => ({ ...base, entries: [key.object], ...certaintyOf(key), ...ofSecret(use, container, key, snapshot.now) }));
      });
      return distinctUses(uses);
    }),
  );
}

/** Removes duplicates. Several variables of one container may have the same source. */
function distinctUses(uses: readonly FoundUse[]): readonly FoundUse[] {
  const seen = new Map(uses.map((use) => [[use.via, use.version, use.evidence, use.certainty, use.why].join(" "), use]));
  return [...seen.values()];
}

function usesKey(use: Exclude<ContainerUse, { kind: "mount" }>, key: string): boolean {
  if (use.kind === "envFrom") return true;
  if (use.kind === "env") return use.key === key;
  const paths = use.keys === undefined ? [key] : [...use.keys].flatMap(([path, from]) => (from === key ? [path] : []));
  return paths.some((path) => covers(use.subPath, path));
}

/** Whether the mounted part contains the file. */
function covers(subPath: string | undefined, path: string): boolean {
  if (subPath === undefined || subPath === "*") return true;
  const part = subPath.replace(/\/+$/, "");
  return part === path || path.startsWith(`${part}/`);
}

function ofSecret(use: ContainerUse, { state }: ObservedContainer, key: KeyVersion, now: number): Found {
  const { version, arrival, why } = key;
  const follows = use.kind === "volume" && use.subPath === undefined;
  if (state.kind === "ended" || (state.kind === "waiting" && !follows)) return notRunning();
  if (version === undefined) return unknown(why ?? "the version in the Secret is not known");
  if (arrival === undefined) return unknown("when the Secret got its version is not known");
  const startedAt = state.kind === "running" ? state.startedAt : Number.NEGATIVE_INFINITY;
  if (hasStartedAfter(startedAt, arrival)) return known(version, "started-after", startedAt);
  return follows ? inVolume(version, arrival, now) : beforeArrival(startedAt, arrival);
}

function inVolume(version: string, { at }: Arrival, now: number): Found {
  if (now - at >= KUBELET_MS) return known(version, "kubelet", at);
  return unknown("the Secret changed less than two minutes ago, so the kubelet might not have copied it yet");
}

function beforeArrival(startedAt: number, { isExact, isFirst }: Arrival): Found {
  if (isFirst) return unknown("the container is older than the Secret");
  if (isExact) return older(startedAt);
  return unknown("the Secret was written after the container started, and whether its version changed then is not known");
}

function known(version: string, evidence: Evidence, since: number): Found {
  return { version, evidence, since };
}

/**
 * Kubernetes times have whole seconds. A container that started in the same second counts as older, unless it could not start before the
 * Secret existed.
 */
function hasStartedAfter(startedAt: number, { at, isFirst }: Arrival): boolean {
  return startedAt > at || (isFirst && startedAt === at);
}
