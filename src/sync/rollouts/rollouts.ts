import { refOfKey } from "../../domain/object-key.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { KubeWatcher } from "../../domain/ports/kube-watcher.ts";
import type { Logger } from "../../domain/ports/logger.ts";
import { isRestarted } from "../../domain/rollout/stamp.ts";
import { usesOf } from "../../domain/rollout/uses.ts";
import { hasRotated } from "../../domain/sync/rotated-condition.ts";
import { type Outcome, WorkQueue } from "../../runtime/workqueue.ts";
import { patiently, RETRIES } from "../patience.ts";
import { ClusterSlots } from "./cluster-slots.ts";
import { FollowedClasses } from "./followed-classes.ts";
import { createDriverRecords } from "./pod-files.ts";
import { startRolloutBudgets } from "./rollout-budgets.ts";
import type { RolloutContext, RolloutSettings, RolloutsWorker } from "./rollout-context.ts";
import { RolloutMemory } from "./rollout-memory.ts";
import type { RolloutMetrics } from "./rollout-metrics.ts";
import { reconcileRollouts } from "./rollout-namespace.ts";
import { ROLLOUTS_SOON } from "./rollout-report.ts";
import { VersionTimes } from "./rollout-versions.ts";
import { type RolloutWorkloads, startRolloutWorkloads } from "./rollout-workloads.ts";
import { isAdopting } from "./under-way.ts";

export interface RolloutsOptions {
  readonly settings: RolloutSettings;
  readonly watcher: KubeWatcher;
  readonly metrics: RolloutMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
}

/** Restarts of the workloads that request them, namespace by namespace. */
export interface Rollouts {
  /** Call this when the class (`namespace/name`) or one of its Secrets changes. */
  noteClass(classKey: string): void;
  /** Whether a workload that requests restarts uses the class (`namespace/name`); undefined if this is not known yet. */
  isFollowed(classKey: string): boolean | undefined;
  /** Runs until the signal aborts. */
  run(worker: RolloutsWorker & ClassQueue, signal: AbortSignal): Promise<void>;
}

interface ClassQueue {
  /** Puts a class (`namespace/name`) on the queue. */
  readonly enqueue: (classKey: string) => void;
}

/** Number of namespaces that the worker reconciles at a time. Most of the time is spent waiting for the API server. */
const WORKERS = 16;

/**
 * Returns a function that tells whether workloads need the versions of a class (`namespace/name`); it returns undefined if this is not
 * known yet.
 */
export function followedBy(rollouts: Rollouts | undefined): Rollouts["isFollowed"] {
  return (classKey) => (rollouts === undefined ? false : rollouts.isFollowed(classKey));
}

export function createRollouts(options: RolloutsOptions): Rollouts {
  const { settings, metrics, clock, logger, random } = options;
  // A new leader first reconciles every workload, which covers all changes noted before.
  let noteClass: Rollouts["noteClass"] = () => undefined;
  let isFollowed: Rollouts["isFollowed"] = () => undefined;
  return {
    isFollowed: (classKey) => isFollowed(classKey),
    noteClass: (classKey) => noteClass(classKey),
    run: async (worker, signal) => {
      const memory = new RolloutMemory();
      const queue = new WorkQueue({
        workers: WORKERS,
        backoff: RETRIES,
        clock,
        logger: logger.child({ queue: "rollouts" }),
        random,
        handle: async (namespace, handleSignal) => {
          for (const classKey of followed.changesIn(namespace)) worker.enqueue(classKey);
          try {
            return await patiently(() => reconcile(context, namespace, handleSignal), ROLLOUTS_SOON);
          } finally {
            forgetIfEmpty(context, namespace);
          }
        },
      });
      const onChange = (namespace: string): void => {
        followed.note(namespace);
        queue.add(namespace);
      };
      const ofInterest = (namespace: string): void => {
        if (workloads.ofNamespace(namespace).length > 0) queue.add(namespace);
      };
      const workloads = startRolloutWorkloads(
        { watcher: options.watcher, clock, logger, watchesArgo: settings.watchesArgo, onChange, onGone: (uid) => memory.forget(uid) },
        signal,
      );
      // The queue runs only below, so its handler never uses these before they exist.
      const followed = new FollowedClasses(workloads);
      isFollowed = (classKey) => followed.has(classKey);
      const watching = { watcher: options.watcher, onChange: ofInterest, onListed: () => workloads.namespaces().forEach(ofInterest) };
      const records = createDriverRecords({ ...watching, crdHealth: worker.live.podStatusCrd }, signal);
      const writer = { kube: worker.kube, memory, clock, logger, isDryRun: settings.controls.mode === "dry-run" };
      const budgets = settings.respectsBudgets ? startRolloutBudgets(watching, signal) : undefined;
      const slots = new ClusterSlots({
        most: settings.mostInCluster,
        namespaces: () => workloads.namespaces(),
        unseenIn: (namespace) => {
          if (!isAdopting({ memory, now: clock.now(), timeoutMs: settings.timeoutMs })) return 0;
          return Math.min(settings.mostAtATime, unrecordedRestarts(workloads, namespace));
        },
        wake: (namespace) => queue.add(namespace),
      });
      const times = new VersionTimes();
      const limits = { slots, budgets };
      const context: RolloutContext = { worker, settings, workloads, memory, writer, limits, versions: { times, records }, metrics };
      noteClass = (classKey) => {
        const { namespace, name } = refOfKey(classKey);
        const isOfInterest = workloads.ofNamespace(namespace).length > 0 || hasRotated(worker.live.statuses.get({ namespace, name }));
        if (isOfInterest) queue.add(namespace);
        else forgetIfEmpty(context, namespace);
      };
      await queue.run(signal);
    },
  };
}

/** Forgets the versions of the Secrets of a namespace that has neither workloads nor classes left, as after its deletion. */
function forgetIfEmpty({ worker, workloads, versions: { times } }: RolloutContext, namespace: string): void {
  if (!times.has(namespace) || workloads.ofNamespace(namespace).length > 0) return;
  if (!worker.live.classes.list().some(({ metadata }) => metadata.namespace === namespace)) times.forget(namespace);
}

/** Reconciles the namespace. If this fails, no other namespace waits behind it. */
async function reconcile(context: RolloutContext, namespace: string, signal: AbortSignal): Promise<Outcome> {
  try {
    return await reconcileRollouts(context, namespace, signal);
  } catch (error) {
    context.limits.slots.leaveLine(namespace);
    throw error;
  }
}

/**
 * Returns the number of restarts in the namespace without a recorded end. A new leader counts them until it has reconciled the namespace.
 */
function unrecordedRestarts(workloads: RolloutWorkloads, namespace: string): number {
  const defaults = workloads.defaultsOf(namespace);
  return workloads.ofNamespace(namespace).filter((each) => isRestarted(each) && usesOf(each, defaults).asksForRestarts).length;
}
