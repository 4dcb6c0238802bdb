import { LEASE_ANNOTATIONS } from "../../domain/annotations.ts";
import type { SecretProviderClass } from "../../domain/kubernetes.ts";
import { keyOf, refOf, refOfKey } from "../../domain/object-key.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import { CLOCKS_DIFFER_MS, type PolledUntil } from "../../domain/schedule/phase.ts";
import { conditionOf } from "../../domain/sync/class-status.ts";
import { secretObjectsOf } from "../../domain/sync/named-secrets.ts";
import type { ClassStatus } from "../../domain/sync/status-fields.ts";
import type { ClassStates } from "./class-states.ts";
import type { Consumers } from "./consumers.ts";
import type { HeldClasses } from "./held-classes.ts";
import { isMirrored, type Mirroring } from "./observe.ts";
import { goesByEarlierPolls } from "./state.ts";
import type { StatusStore } from "./status-store.ts";

/**
 * The time up to which all due polls were made, and the classes whose polls are missing. A class at rest has no exact time of its own,
 * because the worker writes nothing for it. The progress is written with the renewals of the lease, which are written anyway, and passes
 * from each leader to the next.
 */
export interface PollProgress {
  readonly before: PolledUntil;
  /** Classes that `before` does not cover: `namespace/name`, or `namespace/*` for all classes of a namespace. */
  readonly owed?: ReadonlySet<string>;
  /** Sets the function that each renewal of the lease calls for the progress. */
  observe(made: () => PollsMade): void;
}

export interface PollsMade {
  readonly until: number | undefined;
  readonly owed: readonly string[];
}

/** Progress of the polls as the previous leader reported it. */
export interface EarlierPolls {
  /** Progress of all classes that are not in `owed`. */
  readonly until: PolledUntil;
  /** As the previous leader reported it. This leader passes it on until it has its own progress. */
  readonly owed: readonly string[];
  of(classKey: string): PolledUntil;
}

/** Rejects a time that is further ahead of our clock than clocks differ. A time that is only a little ahead counts as now. */
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

interface Polling extends Mirroring {
  readonly consumers: Pick<Consumers, "isUsed"> & { readonly watch: Pick<Consumers["watch"], "hasSynced"> };
}

/**
 * Whether the class has to be checked regularly. A class that is switched off, of another provider, or waiting for its first pod does not.
 * Until the pods are listed, a class counts as used if its status reports it as fresh.
 */
export function isPolled({ settings, consumers }: Polling, spc: SecretProviderClass, status?: ClassStatus): boolean {
  const isFollowed = secretObjectsOf(spc).length > 0 || status?.objects !== undefined;
  const wasUsed = (): boolean => !consumers.watch.hasSynced && isCalledFresh(status);
  const isUsed = (classKey: string): boolean => consumers.isUsed(classKey) || wasUsed();
  return settings.enableSecretRotation && isFollowed && isMirrored({ settings, consumers: { isUsed } }, spc);
}

/** Whether no pod mounts the class now, but its Secrets still exist. A poll that is left out now is due as soon as a pod mounts it. */
function isPolledWhenUsed({ settings, consumers: { watch } }: Polling, spc: SecretProviderClass, status?: ClassStatus): boolean {
  const isStored = status !== undefined && status.secrets.length > 0;
  return isStored && isPolled({ settings, consumers: { isUsed: () => true, watch } }, spc, status);
}

/** Whether the status reports that the vault answered at the last check. The status of an unused class leaves this open. */
export function isCalledFresh(status: ClassStatus | undefined): boolean {
  return conditionOf(status, "Fresh")?.status === "True";
}

interface Polls extends Polling {
  readonly clock: Clock;
  readonly classes: Pick<HeldClasses, "hasSynced" | "list">;
  readonly states: ClassStates;
  readonly statuses: Pick<StatusStore, "get">;
  readonly before: EarlierPolls;
}

/** A poll that is overdue for longer no longer holds up the common time. The next leader finds the class by its name (milliseconds). */
const LATE_MS = 60_000;

/** Maximum age of the result (milliseconds): the first sync of each class renews the lease, and each renewal calls this function. */
const MOST_AGE_MS = 5_000;

/** Maximum number of single entries for one namespace. One entry for the whole namespace replaces a larger number. */
const MOST_OF_A_NAMESPACE = 8;

/**
 * Maximum number of entries. With more, the problem is in the cluster, and the common time stops. An entry has at most 317 characters, and
 * all of them must fit into an annotation.
 */
const MOST_OWED = 128;

export function pollsMade(polls: Polls): () => PollsMade {
  const { until, owed: left } = polls.before;
  let known: PollsMade = { until: typeof until === "number" ? until : undefined, owed: left };
  let askedAt = Number.NEGATIVE_INFINITY;
  return () => {
    const now = polls.clock.now();
    // The absolute value also covers a clock that jumped back.
    if (!polls.classes.hasSynced || Math.abs(now - askedAt) < MOST_AGE_MS) return known;
    askedAt = now;
    let moment = now;
    const late: SecretProviderClass[] = [];
    const unused: SecretProviderClass[] = [];
    for (const provider of polls.classes.list()) {
      const due = dueSince(polls, keyOf(provider));
      if (due.first >= now) continue;
      const status = polls.statuses.get(refOf(provider));
      if (!goesByEarlierPolls(provider, status)) continue;
      if (!isPolled(polls, provider, status)) {
        if (isPolledWhenUsed(polls, provider, status)) unused.push(provider);
        continue;
      }
      // The next leader would take an earlier poll for one that was made.
      const isPassed = known.until !== undefined && due.first <= known.until - CLOCKS_DIFFER_MS;
      if (isPassed || now - due.here > LATE_MS) late.push(provider);
      else moment = Math.min(moment, due.first);
    }
    const owed = entriesOf(late);
    if (owed.length <= MOST_OWED) known = { until: Math.max(moment, known.until ?? moment), owed: withUnused(owed, entriesOf(unused)) };
    return known;
  };
}

/**
 * Returns when the next poll of a class was or is due under any leader, and under this one. For a class that this process has not reconciled
 * yet, the progress of the previous leader applies.
 */
function dueSince(
  { states, before }: Pick<Polls, "states" | "before">,
  classKey: string,
): { readonly first: number; readonly here: number } {
  const state = states.get(classKey);
  if (state !== undefined) return { first: state.missedPoll ?? state.nextPoll, here: state.nextPoll };
  const earlier = before.of(classKey);
  const unseen = typeof earlier === "number" ? earlier : Number.NEGATIVE_INFINITY;
  return { first: unseen, here: unseen };
}

/** Adds as many entries for unused classes as fit: a cluster in which nothing is used must not stop the common time. */
function withUnused(owed: readonly string[], unused: readonly string[]): readonly string[] {
  return [...new Set([...owed, ...unused])].slice(0, Math.max(MOST_OWED, owed.length));
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
  /** Returns the progress for a leader that found these annotations. */
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
