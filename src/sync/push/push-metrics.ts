import type { Registry } from "prom-client";
import { metricsIn } from "../../runtime/metrics.ts";

/** Outcomes of a message of an event queue. */
const MESSAGES = [
  /** At least one class got a hint. */
  "acted",
  /** The classes have already acted on the same event. */
  "duplicate",
  /** No synced class names the object. */
  "unnamed",
  /** No class names the vault. */
  "foreign",
  /** No class of this shard names the vault. */
  "otherShard",
  /** A vault's access policies changed. */
  "access",
  "otherType",
  "malformed",
  /** The worker has received the message too often, and deletes it without acting on it. */
  "poison",
] as const;
export type MessageOutcome = (typeof MESSAGES)[number];

/** Outcomes of an event for one class. */
const HINTS = [
  /** The Secrets contain the version that the event reported. */
  "applied",
  /** The status already contained that version before a fetch. */
  "current",
  /**
   * A fetch settled the hint without a Secret that contains the event's version: the vault has a newer version, no Secret of the class is
   * made from the object, or the event reported no new version.
   */
  "looked",
  /** The vault did not show the change in time, no fetch took place, or the namespace had no room for more hints. */
  "leftToPoll",
] as const;
export type HintOutcome = (typeof HINTS)[number];

/** Seconds: from an event that arrives at once to one that an outage delays for hours. */
const LAG_BUCKETS = [0.25, 0.5, 1, 2, 3, 5, 10, 30, 60, 300, 1_800, 7_200];

export type PushMetrics = ReturnType<typeof createPushMetrics>;

export function createPushMetrics(registry: Registry) {
  const { counter, gauge, histogram, observed } = metricsIn(registry);
  let inHand = (): number => 0;
  observed("event_messages_in_hand", "Messages of event queues that were received and not yet deleted.", (own) => own.set(inHand()));
  return {
    messages: counter("event_messages_total", "Messages of event queues, by outcome.", { outcome: MESSAGES }),
    hints: counter("event_hints_total", "Checks of a class that an event requested, by outcome.", { outcome: HINTS }),
    lag: histogram("event_lag_seconds", "Time from a vault's event until the Secrets contain its version.", LAG_BUCKETS),
    /** One series for each queue of the setting. */
    isUp: gauge("event_queue_up", "1 while an event queue answers; 0 while it does not, and only polls detect new versions.", ["queue"]),
    lastAnswer: gauge("event_queue_last_answer_timestamp_seconds", "When an event queue last answered, seconds since the epoch.", [
      "queue",
    ]),
    /** Sets the source of the number of messages in hand. */
    observeInHand: (count: () => number) => {
      inHand = count;
    },
  };
}
