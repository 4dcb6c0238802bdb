import type { Counter, Registry } from "prom-client";
import type { Clock } from "../domain/ports/clock.ts";
import type { HealthCheck } from "./health.ts";
import { metricsIn } from "./metrics.ts";

/** Between two beats (milliseconds). */
const BEAT_MS = 500;

/** A beat that comes later than this was held up by more than a busy machine. */
const BLOCKED_MS = 1_000;

/** Standing still for more than half of a minute is being stuck, whatever gets done in between. */
const WINDOW_MS = 60_000;
const MOST_BLOCKED_MS = WINDOW_MS / 2;

export interface EventLoopOptions {
  readonly registry: Registry;
  /** Of which only the timers are used: what it shows may be set. */
  readonly clock: Clock;
  /** Milliseconds that only ever grow. */
  readonly monotonic: () => number;
}

interface Block {
  readonly from: number;
  readonly to: number;
}

/**
 * Beats until the signal aborts, and notes when a beat is late: something held up everything else. A loop that stands still for good answers
 * no probe, and the kubelet's time-out sees that. This check is for a loop that comes round in between: one that answers probes, renews a lease,
 * and does hardly anything else; and for one that serves sockets while its timers are dead. What is over for half a minute is forgiven.
 */
export function startEventLoopWatch({ registry, clock, monotonic }: EventLoopOptions, signal: AbortSignal): HealthCheck {
  const blocked = blockedSeconds(registry);
  let blocks: readonly Block[] = [];
  let last = monotonic();
  const beat = async (): Promise<void> => {
    while (!signal.aborted) {
      await clock.sleep(BEAT_MS, signal);
      const now = monotonic();
      const late = now - last - BEAT_MS;
      blocks = blocks.filter(({ to }) => to > now - WINDOW_MS);
      if (late > BLOCKED_MS) {
        blocks = [...blocks, { from: now - late, to: now }];
        blocked.inc(late / 1_000);
      }
      last = now;
    }
  };
  // Ends by its signal. Should it ever end otherwise, the check fails half a minute later.
  beat().catch(() => undefined);
  return { name: "event-loop", problem: () => problemOf([...blocks, { from: last + BEAT_MS, to: monotonic() }], monotonic()) };
}

function problemOf(blocks: readonly Block[], now: number): string | undefined {
  const within = blocks.map(({ from, to }) => Math.max(0, to - Math.max(from, now - WINDOW_MS)));
  const milliseconds = within.reduce((sum, each) => sum + each, 0);
  if (milliseconds <= MOST_BLOCKED_MS) return undefined;
  return `the event loop was blocked for ${Math.round(milliseconds / 1_000)} s of the last ${WINDOW_MS / 1_000} s`;
}

/** Beside Node's own gauges of the last scrape, which miss what two scrapers share. */
export function blockedSeconds(registry: Registry): Counter {
  return metricsIn(registry).counter(
    "event_loop_blocked_seconds_total",
    "Time for which the event loop was blocked, counting only blocks of more than a second.",
  );
}
