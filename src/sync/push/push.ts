import { type Clock, monotonicClock } from "../../domain/ports/clock.ts";
import type { EventQueues, QueueSetting } from "../../domain/ports/event-queue.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import type { Logger } from "../../domain/ports/logger.ts";
import { queueLabel } from "../../domain/vault-events/queue-setting.ts";
import { type ShareLimits, TimeShare } from "../../runtime/time-share.ts";
import { runTogether } from "../run-together.ts";
import { type DispatchOptions, dispatchEvent } from "./event-dispatch.ts";
import { Hints } from "./hints.ts";
import { NamedObjects } from "./named-objects.ts";
import type { PushMetrics } from "./push-metrics.ts";
import { findQueueIdentity } from "./queue-identity.ts";
import { QueueReader, type QueueReaderOptions } from "./queue-reader.ts";

/** Milliseconds between two searches for expired hints. */
const EXPIRY_MS = 30_000;

/**
 * Part of the worker's only thread that the events of all queues can use. Polls, restarts, and healing need the rest, and users with many
 * classes decide how long an event takes. A few events at a time never use up what accumulates.
 */
export const EVENTS_SHARE: ShareLimits = { perSecond: 200, burst: 500, mostOwed: 200 };

export interface PushOptions {
  readonly settings: readonly QueueSetting[];
  readonly queues: EventQueues;
  readonly kube: KubeClient;
  /** Namespace of the install. */
  readonly namespace: string;
  readonly metrics: PushMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Returns a number in [0, 1). */
  readonly random: () => number;
}

/** Access to the classes that the worker knows. */
export type PushedClasses = Pick<
  DispatchOptions,
  "classes" | "isFetched" | "noteUnfetched" | "hasOtherShards" | "refusedObjects" | "cloud"
> & {
  /** Whether the worker knows all classes and may act on them. */
  readonly isReady: () => boolean;
};

/** Reads events of vaults from Azure Storage queues. Events only make the worker check classes earlier. */
export interface Push {
  readonly hints: Hints;
  readonly named: Pick<NamedObjects, "note">;
  /** Reads all queues until the signal aborts. */
  run(classes: PushedClasses, signal: AbortSignal): Promise<void>;
}

/** `enqueue` adds a class (`namespace/name`) to the worker's queue. */
export function createPush(options: PushOptions): {
  readonly start: (enqueue: (classKey: string) => void) => Push;
  /** Returns why a queue cannot be read; undefined while all queues can be read, or before the first attempt. */
  readonly problem: () => string | undefined;
} {
  let readers: readonly QueueReader[] = [];
  return {
    problem: () => readers.map(({ problem }) => problem).find((problem) => problem !== undefined),
    start: (enqueue) => {
      const { clock, metrics } = options;
      const hints = new Hints({ clock, metrics, enqueue });
      const named = new NamedObjects();
      return {
        hints,
        named,
        run: async (classes, signal) => {
          const steady = monotonicClock(clock);
          const thread = new TimeShare(EVENTS_SHARE, () => steady.now());
          readers = options.settings.map((setting) => readerOf(options, setting, { ...classes, hints, named, thread }));
          metrics.observeInHand(() => readers.reduce((sum, { inHand }) => sum + inHand, 0));
          await runTogether([...readers.map((reader) => (running: AbortSignal) => reader.run(running)), expiring(hints, clock)], signal);
        },
      };
    },
  };
}

function readerOf(
  { queues, kube, namespace, metrics, clock, logger, random }: PushOptions,
  setting: QueueSetting,
  { isReady, thread, ...classes }: PushedClasses & Pick<DispatchOptions, "hints" | "named"> & { readonly thread: TimeShare },
): QueueReader {
  const reading: QueueReaderOptions = {
    label: queueLabel(setting),
    open: async (signal) => queues.open(setting, await findQueueIdentity({ kube, namespace }, setting, signal)),
    isReady,
    dispatch: (dispatching) => dispatchEvent(classes, dispatching),
    metrics,
    clock,
    logger,
    random,
  };
  return new QueueReader(reading, thread);
}

function expiring(hints: Hints, clock: Clock): (signal: AbortSignal) => Promise<void> {
  return async (signal) => {
    while (!signal.aborted) {
      hints.expire();
      await clock.sleep(EXPIRY_MS, signal).catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
    }
  };
}
