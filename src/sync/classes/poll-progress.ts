import { LEASE_ANNOTATIONS } from "../../domain/annotations.ts";
import type { SecretProviderClass } from "../../domain/kubernetes.ts";
import { keyOf, refOf } from "../../domain/object-key.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import { CLOCKS_DIFFER_MS, type PolledUntil } from "../../domain/schedule/phase.ts";
import { secretObjectsOf } from "../../domain/sync/named-secrets.ts";
import type { ClassStates } from "./class-states.ts";
import type { HeldClasses } from "./held-classes.ts";
import { isMirrored, type Mirroring } from "./observe.ts";
import { type ClassState, goesByEarlierPolls } from "./state.ts";
import type { StatusStore } from "./status-store.ts";

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
  readonly statuses: Pick<StatusStore, "get" | "hasUnstored">;
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
      const state = polls.states.get(keyOf(provider));
      // One that was not reconciled yet is where the leader before left it.
      const due = state?.nextPoll ?? before ?? Number.NEGATIVE_INFINITY;
      if (due < until && isPolled(polls, provider) && isOwedToNext(polls, provider, state)) until = due;
    }
    if (until > (known ?? Number.NEGATIVE_INFINITY)) known = until;
    return known;
  };
}

/**
 * A class in trouble has its trouble in its own status, and holds up nobody else's moment: the next leader asks about it by that. Where the API
 * server refuses that very status, the poll was made before.
 */
function isOwedToNext({ statuses }: Polls, provider: SecretProviderClass, state: ClassState | undefined): boolean {
  const ref = refOf(provider);
  if (!goesByEarlierPolls(provider, statuses.get(ref))) return false;
  return state === undefined || !statuses.hasUnstored(ref);
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
