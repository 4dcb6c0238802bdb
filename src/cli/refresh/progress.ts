import { type ObjectRef, RESOURCES } from "../../domain/kubernetes.ts";
import type { DriverPace } from "../../domain/refresh/driver-pace.ts";
import { type ClassStatus, REFRESH_CHARACTERS } from "../../domain/sync/class-status.ts";
import { readStatus, type SecretProviderClassSync } from "../../domain/sync/stored-status.ts";
import { objectUsages } from "../../domain/where/object-usage.ts";
import type { ObjectUsage } from "../../domain/where/usage.ts";
import type { Cluster, CommandContext } from "../shared/command.ts";
import { lookUp, type Viewer, valueIn } from "../shared/viewer.ts";
import { gather } from "../where/gather.ts";

/** One refresh that was asked for. */
export interface Refreshing {
  readonly cluster: Cluster;
  readonly context: CommandContext;
  readonly viewer: Viewer;
  /** Of the class. */
  readonly ref: Required<ObjectRef>;
  /** Of the annotation. */
  readonly value: string;
  /** Cloud of classes that name none. */
  readonly cloudName: string;
  /** The worker asks the vault for the class: it makes Secrets, or its versions are followed for workloads that ask for restarts. */
  readonly isFetched: boolean;
}

/** How far a refresh has come. */
export interface Progress {
  /** Pods that mount the class. */
  readonly pods: readonly string[];
  readonly usages: readonly ObjectUsage[];
  /** The worker has answered this request; true where it asks no vault for the class. */
  readonly isAnswered: boolean;
  /** Answered, and no file is known to be of an older version, or may be. */
  readonly isUpToDate: boolean;
  readonly unseen: readonly string[];
}

export async function progressOf(refreshing: Refreshing): Promise<Progress> {
  const { cluster, context, ref, cloudName } = refreshing;
  const isWanted = ({ namespace, name }: { readonly namespace: string; readonly name: string }): boolean =>
    namespace === ref.namespace && name === ref.name;
  // First: an answer that comes while the rest is listed is about what was not listed yet.
  const isAnswered = await hasAnswer(refreshing);
  const { snapshot, unseen } = await gather(cluster, context, { within: ref.namespace, cloudName, isWanted });
  const usages = objectUsages(snapshot, () => true);
  const mounts = usages.flatMap(({ containers }) => containers.filter(({ via }) => via === "mount"));
  const isUpToDate = isAnswered && mounts.every(({ state }) => state !== "old" && state !== "unknown");
  const pods = snapshot.podsOfClass(ref.namespace, ref.name).map(({ name }) => name);
  return { pods, usages, isAnswered, isUpToDate, unseen };
}

async function hasAnswer({ viewer, ref, value, isFetched }: Refreshing): Promise<boolean> {
  if (!isFetched) return true;
  return (await statusOf(viewer, ref))?.observedRefresh === value.slice(0, REFRESH_CHARACTERS);
}

/** What the worker says of the class; undefined where it says nothing, or the user may not see it. */
export async function statusOf(viewer: Viewer, ref: Required<ObjectRef>): Promise<ClassStatus | undefined> {
  return readStatus(valueIn(await lookUp<SecretProviderClassSync>(viewer, RESOURCES.secretProviderClassSyncs, ref))?.status);
}

export interface Waiting {
  readonly pace: DriverPace;
  /** Milliseconds. */
  readonly withinMs: number;
}

/** Between two looks (milliseconds): each is a handful of lists of one namespace. */
const EVERY_MS = 2_000;

/**
 * Looks again until all is up to date, or the time is over. The newest version of a class that the worker asks no vault for is known to its pods
 * alone: only when the driver's time is over is each of them known to have looked.
 */
export async function waitForProgress(refreshing: Refreshing, { pace, withinMs }: Waiting): Promise<Progress> {
  const { clock, signal, terminal } = refreshing.context;
  const began = clock.now();
  const paceMs = pace.kind === "republish" || pace.kind === "timer" ? pace.atMostMs : 0;
  for (;;) {
    const progress = await progressOf(refreshing);
    const waited = clock.now() - began;
    const filesFollow = pace.kind === "republish" || pace.kind === "timer";
    const isKnown = refreshing.isFetched || progress.pods.length === 0 || !filesFollow || waited >= paceMs;
    const isDone = filesFollow ? progress.isUpToDate && isKnown : progress.isAnswered;
    if (isDone || waited >= withinMs) return { ...progress, isUpToDate: progress.isUpToDate && isKnown };
    terminal.tellProgress(progress.isAnswered ? "mounted files" : "the worker");
    await clock.sleep(Math.min(EVERY_MS, withinMs - waited), signal);
  }
}
