import type { Counter, Registry } from "prom-client";
import type { Clock } from "../domain/ports/clock.ts";
import type { HealthCheck } from "./health.ts";
import { metricsIn } from "./metrics.ts";

/** Milliseconds between two beats. */
const BEAT_MS = 500;

/** If a beat is later than this (milliseconds), more than a busy machine delayed it. */
const BLOCKED_MS = 1_000;

/** A loop that is blocked for more than half of a minute is stuck, whatever it gets done in between (milliseconds). */
const WINDOW_MS = 60_000;
const MOST_BLOCKED_MS = WINDOW_MS / 2;

export interface EventLoopOptions {
  readonly registry: Registry;
  /** Only its timers are used, because its time may be set. */
  readonly clock: Clock;
  /** Returns milliseconds that only increase. */
  readonly monotonic: () => number;
}

interface Block {
  readonly from: number;
  readonly to: number;
}

/**
 * Beats until the signal aborts, and records late beats: something blocked all other work. A loop that is blocked forever answers no probe,
 * and the kubelet's timeout detects that. This check detects a loop that answers probes and renews a lease, but does hardly anything else.
 * It also detects a loop that serves sockets while its timers are dead. A block that ended half a minute ago no longer fails the check.
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
  // Rejects when its signal aborts. If it ever ends otherwise, the check fails half a minute later.
  beat().catch(() => undefined);
  return { name: "event-loop", problem: () => problemOf([...blocks, { from: last + BEAT_MS, to: monotonic() }], monotonic()) };
}

function problemOf(blocks: readonly Block[], now: number): string | undefined {
  const within = blocks.map(({ from, to }) => Math.max(0, to - Math.max(from, now - WINDOW_MS)));
  const milliseconds = within.reduce((sum, each) => sum + each, 0);
  if (milliseconds <= MOST_BLOCKED_MS) return undefined;
  return `the event loop was blocked for ${Math.round(milliseconds / 1_000)} s of the last ${WINDOW_MS / 1_000} s`;
}

/** Complements Node's own gauges, which cover the time since the last scrape: if two scrapers share them, each misses a part. */
export function blockedSeconds(registry: Registry): Counter {
  return metricsIn(registry).counter(
    "event_loop_blocked_seconds_total",
    "Time for which the event loop was blocked, counting only blocks of more than a second.",
  );
}
