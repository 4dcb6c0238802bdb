import { formatDuration } from "../domain/duration.ts";
import type { HealthCheck } from "../runtime/health.ts";
import type { WorkQueue } from "../runtime/workqueue.ts";

/** Minutes behind are trouble; so many that every request has long been given up are a bug (milliseconds). */
const QUEUE_BEHIND_MS = 180_000;
const QUEUE_STUCK_MS = 900_000;

export interface HealthParts {
  readonly eventLoop: HealthCheck;
  /** Why the API server cannot be worked with. */
  readonly contact: { problem(): string | undefined };
  readonly watcher: { stuck(): string | undefined; stalled(): string | undefined };
  /** Undefined while this replica does not lead. */
  readonly queue: () => Pick<WorkQueue, "stalledMs"> | undefined;
  /** Why an event queue is not read; absent where none is to be. Nothing is amiss then that polls do not see. */
  readonly eventQueues?: (() => string | undefined) | undefined;
  /** What has to hold before anything begins was found to hold. */
  readonly isStarted: () => boolean;
}

/**
 * Liveness fails where a restart mends it: what stands still by a bug of ours. Readiness fails where nothing can be done for a reason outside,
 * the API server being away or refusing our token, and is well by itself when that is over: a restart loop would only be later then.
 */
export function processHealth({ eventLoop, contact, watcher, queue, isStarted, eventQueues }: HealthParts): {
  readonly liveness: readonly HealthCheck[];
  readonly readiness: readonly HealthCheck[];
  readonly notes: readonly HealthCheck[];
} {
  const stalled = (bound: number): string | undefined => {
    const milliseconds = queue()?.stalledMs ?? 0;
    if (milliseconds <= bound) return undefined;
    return `classes are due, and no reconcile has begun or ended for ${formatDuration(Math.floor(milliseconds / 1_000) * 1_000)}`;
  };
  return {
    liveness: [eventLoop, { name: "watches", problem: () => watcher.stuck() }, { name: "queue", problem: () => stalled(QUEUE_STUCK_MS) }],
    readiness: [
      { name: "start", problem: () => (isStarted() ? undefined : "the API server has not answered yet whether this instance can start") },
      { name: "api-server", problem: () => contact.problem() },
      { name: "watches", problem: () => watcher.stalled() },
      { name: "queue", problem: () => stalled(QUEUE_BEHIND_MS) },
    ],
    notes: eventQueues === undefined ? [] : [{ name: "event-queues", problem: eventQueues }],
  };
}
