import { LEASE_ANNOTATIONS } from "../../domain/annotations.ts";
import type { SecretProviderClass } from "../../domain/kubernetes.ts";
import { keyOf } from "../../domain/object-key.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import { CLOCKS_DIFFER_MS, type PolledUntil } from "../../domain/schedule/phase.ts";
import { secretObjectsOf } from "../../domain/sync/named-secrets.ts";
import type { ClassStates } from "./class-states.ts";
import type { HeldClasses } from "./held-classes.ts";
import { isMirrored, type Mirroring } from "./observe.ts";

/**
 * Up to when all polls that fell due have been made. A class at rest has no exact time of its own, since nothing is written for it: this one
 * moment goes with the renewals of the lease, which are written anyway, from each leader to the next.
 */
export interface PollProgress {
  readonly before: PolledUntil;
  /** Given the one place to ask from now on. */
  observe(until: () => number | undefined): void;
}

/** A moment further ahead of our clock than clocks differ can't be believed; one that is a little ahead is now at the most. */
export function polledBefore({ progress, clock }: { readonly progress?: PollProgress | undefined; readonly clock: Clock }): PolledUntil {
  const before = progress?.before;
  if (typeof before !== "number") return before;
  const now = clock.now();
  return before <= now + CLOCKS_DIFFER_MS ? Math.min(before, now) : "unknown";
}

/** Of a class that is checked regularly: not of one that is switched off, of another provider, or waits for its first pod. */
export function isPolled(mirroring: Mirroring, spc: SecretProviderClass): boolean {
  return mirroring.settings.enableSecretRotation && secretObjectsOf(spc).length > 0 && isMirrored(mirroring, spc);
}

interface Polls extends Mirroring {
  readonly clock: Clock;
  readonly classes: Pick<HeldClasses, "hasSynced" | "list">;
  readonly states: ClassStates;
  /** Of the leader before. */
  readonly before: PolledUntil;
}

export function polledUntil(polls: Polls): () => number | undefined {
  const before = typeof polls.before === "number" ? polls.before : undefined;
  let known = before;
  return () => {
    if (!polls.classes.hasSynced) return known;
    let until = polls.clock.now();
    for (const provider of polls.classes.list()) {
      if (!isPolled(polls, provider)) continue;
      // One that was not reconciled yet is where the leader before left it.
      const due = polls.states.get(keyOf(provider))?.nextPoll ?? before ?? Number.NEGATIVE_INFINITY;
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

export function createLeasedProgress(): LeasedProgress {
  let until = (): number | undefined => undefined;
  return {
    annotations: () => {
      const moment = until();
      return moment === undefined ? {} : { [LEASE_ANNOTATIONS.polledUntil]: new Date(moment).toISOString() };
    },
    after: (annotations) => ({
      before: writtenMoment(annotations[LEASE_ANNOTATIONS.polledUntil]),
      observe: (source) => {
        until = source;
      },
    }),
  };
}

function writtenMoment(text: string | undefined): PolledUntil {
  if (text === undefined) return undefined;
  const moment = Date.parse(text);
  return Number.isNaN(moment) ? "unknown" : moment;
}
