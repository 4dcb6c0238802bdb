import { formatDuration } from "../domain/duration.ts";
import type { HealthCheck } from "../runtime/health.ts";
import type { WorkQueue } from "../runtime/workqueue.ts";

/**
 * Delays in milliseconds. A queue that is minutes behind is in trouble. A queue that is behind for so long that every request has timed out
 * shows a bug.
 */
const QUEUE_BEHIND_MS = 180_000;
const QUEUE_STUCK_MS = 900_000;

export interface HealthParts {
  readonly eventLoop: HealthCheck;
  /** `problem`: why the worker cannot use the API server. */
  readonly contact: { problem(): string | undefined };
  readonly watcher: { stuck(): string | undefined; stalled(): string | undefined };
  /** Undefined while this replica does not lead. */
  readonly queue: () => Pick<WorkQueue, "stalledMs"> | undefined;
  /** Why the worker cannot read an event queue; absent if there is none to read. Polls still find all changes. */
  readonly eventQueues?: (() => string | undefined) | undefined;
  /** Whether the checks before the start have passed. */
  readonly isStarted: () => boolean;
}

/**
 * Returns the checks. Liveness fails if a restart helps: something has stopped because of a bug in the worker. Readiness fails if the cause
 * is outside: the API server is unavailable or rejects the worker's token. The worker recovers by itself when the cause ends, and a restart
 * loop would only delay that.
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
