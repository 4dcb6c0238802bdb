import { LEASE_ANNOTATIONS } from "../../domain/annotations.ts";
import type { SecretProviderClass } from "../../domain/kubernetes.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import { syncMode } from "../../domain/schedule/sync-mode.ts";
import { secretObjectsOf } from "../../domain/sync/named-secrets.ts";
import { storedTime } from "../../domain/sync/stored-time.ts";
import type { WorkerContext } from "../worker-context.ts";
import { keyOf } from "./class-ref.ts";

/**
 * Up to when all polls that fell due have been made. A class at rest has no exact time of its own, since nothing is written for it: this one
 * moment goes with the renewals of the lease, which are written anyway, from each leader to the next.
 */
export interface PollProgress {
  /** Unix milliseconds by the clock of the leader before; undefined where it said nothing. */
  readonly before: number | undefined;
  /** Given the one place to ask from now on. */
  observe(until: () => number | undefined): void;
}

/** A moment that is ahead of our clock says nothing. */
export function polledBefore({
  progress,
  clock,
}: {
  readonly progress?: PollProgress | undefined;
  readonly clock: Clock;
}): number | undefined {
  const before = progress?.before;
  return before !== undefined && before <= clock.now() ? before : undefined;
}

/** Of a class that is checked regularly: not of one that is switched off, of another provider, or waits for its first pod. */
export function isPolled({ settings, consumers }: WorkerContext, provider: SecretProviderClass): boolean {
  if (!settings.syncSecret || !settings.enableSecretRotation || secretObjectsOf(provider).length === 0) return false;
  const mode = syncMode(provider, settings.syncMode);
  return mode === "always" || (mode === "while-used" && consumers.isUsed(keyOf(provider)));
}

export function polledUntil(context: WorkerContext): () => number | undefined {
  let known = context.polledUntil;
  return () => {
    if (!context.classes.hasSynced) return known;
    let until = context.clock.now();
    for (const provider of context.classes.list()) {
      if (!isPolled(context, provider)) continue;
      // One that was not reconciled yet is where the leader before left it.
      const due = context.memories.get(keyOf(provider))?.nextPoll ?? context.polledUntil ?? Number.NEGATIVE_INFINITY;
      until = Math.min(until, due);
    }
    if (until > (known ?? Number.NEGATIVE_INFINITY)) known = until;
    return known;
  };
}

/** The progress as annotations of the lease. */
export interface LeasedProgress {
  annotations(): Readonly<Record<string, string>>;
  /** For a leader that has found these annotations. */
  after(annotations: Readonly<Record<string, string>>): PollProgress;
}

export function createLeasedProgress(clock: Clock): LeasedProgress {
  let until = (): number | undefined => undefined;
  return {
    annotations: () => {
      const moment = until();
      return moment === undefined ? {} : { [LEASE_ANNOTATIONS.polledUntil]: new Date(moment).toISOString() };
    },
    after: (annotations) => ({
      before: storedTime(annotations[LEASE_ANNOTATIONS.polledUntil], clock.now()),
      observe: (source) => {
        until = source;
      },
    }),
  };
}
