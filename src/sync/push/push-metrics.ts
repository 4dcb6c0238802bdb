import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { METRIC_PREFIX } from "../../runtime/metrics.ts";

/** What became of a message of an event queue. */
export type MessageOutcome =
  /** At least one class has looked, or looks. */
  | "acted"
  /** The same as one that was acted on. */
  | "duplicate"
  /** No class that is mirrored names the object. */
  | "unnamed"
  /** No class names the vault. */
  | "foreign"
  /** A vault's access policies changed. */
  | "access"
  | "otherType"
  | "malformed"
  /** Received too often. */
  | "poison";

/** What became of an event for one class. */
export type HintOutcome =
  /** The Secrets hold what the event told of. */
  | "applied"
  /** They did before. */
  | "current"
  /** The vault has something newer, or nothing that a Secret of the class is made from. */
  | "looked"
  /** The vault has not shown it in time, nobody could look, or more waited than the namespace has room for. */
  | "leftToPoll";

const MESSAGES: readonly MessageOutcome[] = ["acted", "duplicate", "unnamed", "foreign", "access", "otherType", "malformed", "poison"];
const HINTS: readonly HintOutcome[] = ["applied", "current", "looked", "leftToPoll"];

/** Seconds, from an event that was at once there to one that an outage of hours held up. */
const LAG_BUCKETS = [0.25, 0.5, 1, 2, 3, 5, 10, 30, 60, 300, 1_800, 7_200];

export interface PushMetrics {
  readonly messages: Counter<"outcome">;
  readonly hints: Counter<"outcome">;
  /** From the event's time to the Secret. */
  readonly lag: Histogram;
  /** By queue: as many as the setting names. */
  readonly isUp: Gauge<"queue">;
  readonly lastAnswer: Gauge<"queue">;
  /** Where the gauge gets its value from. */
  observeInHand(count: () => number): void;
}

export function createPushMetrics(registry: Registry): PushMetrics {
  const registers = [registry];
  const name = (suffix: string): string => `${METRIC_PREFIX}${suffix}`;
  let inHand = (): number => 0;
  const held: Gauge = new Gauge({
    name: name("event_messages_in_hand"),
    help: "Messages of event queues that were received and are not deleted yet.",
    registers,
    collect: () => held.set(inHand()),
  });
  const metrics: PushMetrics = {
    messages: new Counter({
      name: name("event_messages_total"),
      help: "Messages of event queues, by what became of them.",
      labelNames: ["outcome"],
      registers,
    }),
    hints: new Counter({
      name: name("event_hints_total"),
      help: "Looks at a class that an event asked for, by what became of them.",
      labelNames: ["outcome"],
      registers,
    }),
    lag: new Histogram({
      name: name("event_lag_seconds"),
      help: "From the time of a vault's event to the Secrets that hold its version.",
      buckets: LAG_BUCKETS,
      registers,
    }),
    isUp: new Gauge({
      name: name("event_queue_up"),
      help: "1 while an event queue answers; 0 while it does not, and polls alone see new versions.",
      labelNames: ["queue"],
      registers,
    }),
    lastAnswer: new Gauge({
      name: name("event_queue_last_answer_timestamp_seconds"),
      help: "When an event queue last answered, seconds since the epoch.",
      labelNames: ["queue"],
      registers,
    }),
    observeInHand: (count) => {
      inHand = count;
    },
  };
  for (const outcome of MESSAGES) metrics.messages.inc({ outcome }, 0);
  for (const outcome of HINTS) metrics.hints.inc({ outcome }, 0);
  return metrics;
}
