import { LEASE_ANNOTATIONS } from "../../domain/annotations.ts";
import type { SecretProviderClass } from "../../domain/kubernetes.ts";
import { keyOf, refOf, refOfKey } from "../../domain/object-key.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import { CLOCKS_DIFFER_MS, type PolledUntil } from "../../domain/schedule/phase.ts";
import { secretObjectsOf } from "../../domain/sync/named-secrets.ts";
import type { ClassStatus } from "../../domain/sync/status-fields.ts";
import type { ClassStates } from "./class-states.ts";
import type { HeldClasses } from "./held-classes.ts";
import { isMirrored, type Mirroring } from "./observe.ts";
import { goesByEarlierPolls } from "./state.ts";
import type { StatusStore } from "./status-store.ts";

/**
 * Up to when all polls that fell due have been made, and of which classes not. A class at rest has no exact time of its own, since nothing is
 * written for it: this goes with the renewals of the lease, which are written anyway, from each leader to the next.
 */
export interface PollProgress {
  readonly before: PolledUntil;
  /** Classes that `before` says nothing of: `namespace/name`, or `namespace/*` for all of a namespace. */
  readonly owed?: ReadonlySet<string>;
  /** Given the place to ask from now on, at each renewal of the lease. */
  observe(made: () => PollsMade): void;
}

export interface PollsMade {
  readonly until: number | undefined;
  readonly owed: readonly string[];
}

/** What the leader before has said of its polls. */
export interface EarlierPolls {
  /** Of all classes together. */
  readonly until: PolledUntil;
  /** As it was said: what is passed on until there is more to say. */
  readonly owed: readonly string[];
  of(classKey: string): PolledUntil;
}

/** A moment further ahead of our clock than clocks differ can't be believed; one that is a little ahead is now at the most. */
export function earlierPolls({ progress, clock }: { readonly progress?: PollProgress | undefined; readonly clock: Clock }): EarlierPolls {
  const { before, owed } = progress ?? {};
  const isOwed = (classKey: string): boolean => owed?.has(classKey) === true || owed?.has(allOf(refOfKey(classKey).namespace)) === true;
  const until = typeof before === "number" ? believed(before, clock.now()) : before;
  return { until, owed: [...(owed ?? [])], of: (classKey) => (isOwed(classKey) ? "unknown" : until) };
}

function believed(before: number, now: number): PolledUntil {
  return before <= now + CLOCKS_DIFFER_MS ? Math.min(before, now) : "unknown";
}

function allOf(namespace: string): string {
  return `${namespace}/*`;
}

/** Of a class that is checked regularly: not of one that is switched off, of another provider, or waits for its first pod. */
export function isPolled(mirroring: Mirroring, spc: SecretProviderClass, status?: ClassStatus): boolean {
  const isFollowed = secretObjectsOf(spc).length > 0 || status?.objects !== undefined;
  return mirroring.settings.enableSecretRotation && isFollowed && isMirrored(mirroring, spc);
}

interface Polls extends Mirroring {
  readonly clock: Clock;
  readonly classes: Pick<HeldClasses, "hasSynced" | "list">;
  readonly states: ClassStates;
  readonly statuses: Pick<StatusStore, "get">;
  readonly before: EarlierPolls;
}

/** A poll that is due for longer is that class's own matter, and waits for the next leader by the class's name (milliseconds). */
const LATE_MS = 60_000;

/** How old the answer may be (milliseconds): each class's first sync renews the lease, and each renewal asks. */
const MOST_AGE_MS = 5_000;

/** Of one namespace, before the namespace stands for them all. */
const MOST_OF_A_NAMESPACE = 8;

/** What is owed to more of them is the cluster's matter, and holds up the moment. An entry has 317 characters at most, and an annotation must fit. */
const MOST_OWED = 128;

export function pollsMade(polls: Polls): () => PollsMade {
  const { until, owed: left } = polls.before;
  let known: PollsMade = { until: typeof until === "number" ? until : undefined, owed: left };
  let askedAt = Number.NEGATIVE_INFINITY;
  return () => {
    const now = polls.clock.now();
    // Also where the clock has jumped back.
    if (!polls.classes.hasSynced || Math.abs(now - askedAt) < MOST_AGE_MS) return known;
    askedAt = now;
    let moment = now;
    const late: SecretProviderClass[] = [];
    for (const provider of polls.classes.list()) {
      const due = polls.states.get(keyOf(provider))?.nextPoll ?? unseenSince(polls.before.of(keyOf(provider)));
      if (due >= now) continue;
      const status = polls.statuses.get(refOf(provider));
      if (!isPolled(polls, provider, status) || !goesByEarlierPolls(provider, status)) continue;
      if (now - due > LATE_MS) late.push(provider);
      else moment = Math.min(moment, due);
    }
    const owed = entriesOf(late);
    if (owed.length <= MOST_OWED) known = { until: Math.max(moment, known.until ?? moment), owed };
    return known;
  };
}

/** One that was not reconciled yet is where the leader before left it. */
function unseenSince(before: PolledUntil): number {
  return typeof before === "number" ? before : Number.NEGATIVE_INFINITY;
}

function entriesOf(late: readonly SecretProviderClass[]): readonly string[] {
  const byNamespace = Map.groupBy(late, ({ metadata: { namespace = "" } }) => namespace);
  return [...byNamespace].flatMap(([namespace, classes]) =>
    classes.length > MOST_OF_A_NAMESPACE ? [allOf(namespace)] : classes.map((provider) => keyOf(provider)),
  );
}

/** The progress as annotations of the lease. */
export interface LeasedProgress {
  annotations(): Readonly<Record<string, string>>;
  /** For a leader that has found these annotations. */
  after(annotations: Readonly<Record<string, string>>): PollProgress;
}

export function createLeasedProgress(): LeasedProgress {
  let made = (): PollsMade => ({ until: undefined, owed: [] });
  return {
    annotations: () => {
      const { until, owed } = made();
      if (until === undefined) return {};
      return { [LEASE_ANNOTATIONS.polledUntil]: new Date(until).toISOString(), [LEASE_ANNOTATIONS.pollsOwed]: owed.join(",") };
    },
    after: (annotations) => ({
      before: writtenMoment(annotations[LEASE_ANNOTATIONS.polledUntil]),
      owed: new Set(annotations[LEASE_ANNOTATIONS.pollsOwed]?.split(",").filter((entry) => entry !== "")),
      observe: (source) => {
        made = source;
      },
    }),
  };
}

function writtenMoment(text: string | undefined): PolledUntil {
  if (text === undefined) return undefined;
  const moment = Date.parse(text);
  return Number.isNaN(moment) ? "unknown" : moment;
}
