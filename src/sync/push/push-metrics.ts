import type { Registry } from "prom-client";
import { metricsIn } from "../../runtime/metrics.ts";

/** What became of a message of an event queue. */
const MESSAGES = [
  /** At least one class has looked, or looks. */
  "acted",
  /** The same as one that was acted on. */
  "duplicate",
  /** No class that is mirrored names the object. */
  "unnamed",
  /** No class names the vault. */
  "foreign",
  /** No class of this shard names the vault. */
  "otherShard",
  /** A vault's access policies changed. */
  "access",
  "otherType",
  "malformed",
  /** Received too often. */
  "poison",
] as const;
export type MessageOutcome = (typeof MESSAGES)[number];

/** What became of an event for one class. */
const HINTS = [
  /** The Secrets hold what the event told of. */
  "applied",
  /** They did before. */
  "current",
  /** The vault has something newer, or nothing that a Secret of the class is made from. */
  "looked",
  /** The vault has not shown it in time, nobody could look, or more waited than the namespace has room for. */
  "leftToPoll",
] as const;
export type HintOutcome = (typeof HINTS)[number];

/** Seconds, from an event that was at once there to one that an outage of hours held up. */
const LAG_BUCKETS = [0.25, 0.5, 1, 2, 3, 5, 10, 30, 60, 300, 1_800, 7_200];

export type PushMetrics = ReturnType<typeof createPushMetrics>;

export function createPushMetrics(registry: Registry) {
  const { counter, gauge, histogram, observed } = metricsIn(registry);
  let inHand = (): number => 0;
  observed("event_messages_in_hand", "Messages of event queues that were received and not yet deleted.", (own) => own.set(inHand()));
  return {
    messages: counter("event_messages_total", "Messages of event queues, by outcome.", { outcome: MESSAGES }),
    hints: counter("event_hints_total", "Checks of a class that an event requested, by outcome.", { outcome: HINTS }),
    /** From the event's time to the Secret. */
    lag: histogram("event_lag_seconds", "Time from a vault's event until the Secrets contain its version.", LAG_BUCKETS),
    /** By queue: as many as the setting names. */
    isUp: gauge("event_queue_up", "1 while an event queue answers; 0 while it does not, and only polls detect new versions.", ["queue"]),
    lastAnswer: gauge("event_queue_last_answer_timestamp_seconds", "When an event queue last answered, seconds since the epoch.", [
      "queue",
    ]),
    /** Where the gauge gets its value from. */
    observeInHand: (count: () => number) => {
      inHand = count;
    },
  };
}
