import type { ObjectRef } from "../../domain/kubernetes.ts";
import { keyOf, objectKey, refOf, refOfKey } from "../../domain/object-key.ts";
import { KubeError } from "../../domain/ports/kube-error.ts";
import type { Logger } from "../../domain/ports/logger.ts";
import type { HeldClass } from "../../domain/provider-class/held-class.ts";
import { pollInterval } from "../../domain/schedule/class-annotations.ts";
import { withCondition } from "../../domain/sync/class-status.ts";
import { type CheckFacts, isOutOfDate, missedPolls, throttledPolls } from "../../domain/sync/freshness.ts";
import type { ClassStatus, ReportedReason } from "../../domain/sync/status-fields.ts";
import { rfc3339, storedTime } from "../../domain/sync/stored-time.ts";
import { WorkQueue } from "../../runtime/workqueue.ts";
import { RETRIES } from "../patience.ts";
import { runTogether } from "../run-together.ts";
import { reportStale } from "./apply.ts";
import { servedOrLost } from "./observe.ts";
import { type EarlierPolls, isCalledFresh, isPolled } from "./poll-progress.ts";
import type { ClassPorts } from "./ports.ts";
import { type ClassState, earlierCheckOf, knownCheckOf } from "./state.ts";
import { mayBeOutdated, takeReadyBack, WORTH_REPORTING_MS } from "./unanswered-edits.ts";

/** Shorter than the shortest poll interval, so that an outdated claim is corrected before another poll would be due (milliseconds). */
const EVERY_MS = 5_000;

/** Time in which a new leader makes up for missed polls before it reports that thousands of classes missed theirs (milliseconds). */
const MAKING_UP_MS = 60_000;

/** Number of namespaces whose statuses are written concurrently. They take half of the worker's concurrent writes, so that classes keep the rest. */
const NAMESPACES_AT_A_TIME = 16;

/** Facts from before this leader, which decide about classes that it has not reconciled yet. */
interface Before {
  /** Uid of the kube-system namespace. */
  readonly cluster: string;
  readonly earlierPolls: EarlierPolls;
}

/**
 * Corrects statuses until the signal aborts. It withdraws `Fresh` from a class that was not checked for longer than two polls, and `Ready`
 * from a class that has changed since. It also stores statuses that could not be stored before.
 *
 * The queue of classes cannot do this: a class may occupy a handler all that time while a vault does not respond, or may not get a turn.
 * This queue is separate, and namespaces take turns in it with one write each. An admission webhook that delays the statuses of one
 * namespace therefore affects only that namespace.
 */
export async function reviewStatuses(
  ports: ClassPorts,
  { logger, random, ...before }: Before & { readonly logger: Logger; readonly random: () => number },
  signal: AbortSignal,
): Promise<void> {
  const start: Start = { ...before, startedAt: ports.clock.now() };
  /** Namespaces that are skipped until the next review, because the API server was unavailable or throttled requests. */
  const unanswered = new Set<string>();
  const queue = new WorkQueue({
    workers: NAMESPACES_AT_A_TIME,
    sharing: { of: (classKey) => ({ tenant: namespaceOf(classKey), backend: namespaceOf(classKey) }), perBackend: 1 },
    backoff: RETRIES,
    clock: ports.clock,
    logger: logger.child({ queue: "statuses" }),
    random,
    handle: async (classKey, handleSignal) => {
      const namespace = namespaceOf(classKey);
      const ref = refOfKey(classKey);
      const provider = ports.caches.classes.get(ref);
      if (unanswered.has(namespace)) return { kind: "done" };
      const edit = provider && reviewEdit(ports, provider);
      if (typeof edit === "number") return { kind: "requeueAfter", milliseconds: edit };
      const facts = outOfDate(ports, { ref, provider }, start);
      const isAnswered = await answers(async () => {
        if (edit === "due" && provider !== undefined) await takeReadyBack(ports, provider, handleSignal);
        if (facts !== undefined) return takeBack(ports, { ref, provider }, { facts, signal: handleSignal });
        return provider === undefined || ports.caches.statuses.storeUnstored(ref, handleSignal);
      });
      if (!isAnswered) unanswered.add(namespace);
      return { kind: "done" };
    },
  });
  ports.memory.edits.observe((classKey) => queue.addAfter(classKey, WORTH_REPORTING_MS));
  const scan = async (running: AbortSignal): Promise<void> => {
    while (!running.aborted) {
      await ports.clock.sleep(EVERY_MS, running).catch(() => undefined);
      unanswered.clear();
      for (const classKey of ports.memory.edits.keys()) queue.add(classKey);
      for (const provider of ports.caches.classes.list()) {
        const ref = refOf(provider);
        if (ports.caches.statuses.hasUnstored(ref) || outOfDate(ports, { ref, provider }, start) !== undefined) queue.add(keyOf(provider));
      }
      // Classes that were lost with their CRD are not polled either.
      if (ports.caches.cluster.crdHealth.state.kind !== "frozen") continue;
      for (const { key } of ports.caches.statuses.list()) {
        const ref = refOfKey(key);
        if (ports.caches.classes.get(ref) === undefined && outOfDate(ports, { ref, provider: undefined }, start) !== undefined)
          queue.add(key);
      }
    }
  };
  await runTogether([(running) => queue.run(running), scan], signal);
}

function namespaceOf(classKey: string): string {
  return refOfKey(classKey).namespace;
}

/** Milliseconds until the missing answer to an edit is worth a status write; undefined if the edit has an answer, or this is unknown. */
function reviewEdit({ caches, memory: { edits } }: ClassPorts, provider: HeldClass): "due" | number | undefined {
  const { statuses, cluster } = caches;
  const dueIn = edits.dueIn(keyOf(provider));
  // While the CRD is not whole, the API server may serve the class with fields removed. A later review decides.
  if (dueIn === undefined || !(statuses.hasSynced || statuses.isUnserved) || cluster.crdHealth.state.kind === "frozen") return undefined;
  if (!mayBeOutdated(caches, statuses, provider)) {
    edits.end(keyOf(provider));
    return undefined;
  }
  return dueIn > 0 ? dueIn : "due";
}

interface Reviewed {
  readonly ref: ObjectRef;
  /** Undefined if the class does not exist at the moment, because its CRD is missing. */
  readonly provider: HeldClass | undefined;
}

interface ReviewFacts extends CheckFacts {
  /** Whether a check was made at `lastCheck`. A time that is only a bound must not be stored. */
  readonly isKnown: boolean;
}

interface Start extends Before {
  /** Unix milliseconds. */
  readonly startedAt: number;
}

/** Runs for every class every few seconds, so the cheap conditions that nearly always decide come first. */
function outOfDate(ports: ClassPorts, reviewed: Reviewed, start: Start): ReviewFacts | undefined {
  const { caches, memory, clock } = ports;
  const now = clock.now();
  if (now - start.startedAt < MAKING_UP_MS) return undefined;
  const state = memory.states.get(objectKey(reviewed.ref));
  const { known, interval, notBefore } = state === undefined ? unseenCheck(ports, reviewed, start) : seenCheck(ports, reviewed, state);
  if (!isOutOfDate({ lastCheck: known ?? start.startedAt, interval, now, notBefore }) || !isReviewed(ports, reviewed)) return undefined;
  const status = caches.statuses.get(reviewed.ref);
  if (!isCalledFresh(status)) return undefined;
  const lastCheck = known ?? storedTime(status?.lastSuccessfulCheckTime, now) ?? start.startedAt;
  return { lastCheck, interval, now, isKnown: known !== undefined };
}

interface LastCheck extends Pick<CheckFacts, "interval" | "notBefore"> {
  /** Undefined if no check is known. */
  readonly known: number | undefined;
}

/** An edit of the interval takes effect with the next reconcile of the class, so the longer one counts. */
function seenCheck({ caches: { settings } }: ClassPorts, { provider }: Reviewed, state: ClassState): LastCheck {
  const known = knownCheckOf(state);
  const current = provider === undefined ? 0 : pollInterval(provider, settings.rotationPollInterval);
  const notBefore = known === undefined ? state.knownSince : state.intervalSince;
  return { known, interval: Math.max(state.interval, current), notBefore };
}

/**
 * Returns the last check of a class that this process has not reconciled yet, because the worker does not act on classes, or because the
 * class waits for its turn. The polls of the previous leader count, as they do at the first reconcile.
 */
function unseenCheck({ caches }: ClassPorts, { ref }: Reviewed, { startedAt, cluster, earlierPolls }: Start): LastCheck {
  const unknown = { known: undefined, interval: caches.settings.rotationPollInterval, notBefore: startedAt };
  const status = caches.statuses.get(ref);
  const key = objectKey(ref);
  const spc = isCalledFresh(status) ? servedOrLost(caches, key) : undefined;
  if (spc === undefined) return unknown;
  const interval = pollInterval(spc, caches.settings.rotationPollInterval);
  const known = earlierCheckOf({ cluster, key, spc, interval, status, polledUntil: earlierPolls.of(key), now: startedAt });
  return known === undefined ? { ...unknown, interval } : { known, interval, notBefore: undefined };
}

function isReviewed({ caches }: ClassPorts, { provider, ref }: Reviewed): boolean {
  if (provider === undefined) return caches.settings.enableSecretRotation && caches.cluster.crdHealth.state.kind === "frozen";
  return isPolled(caches, provider, caches.statuses.get(ref));
}

/**
 * Returns false if the API server is unavailable or throttles requests, so that the namespace has to wait. After any other refusal, a later
 * review stores the status, and other classes are not affected.
 */
async function answers(write: () => Promise<boolean>): Promise<boolean> {
  try {
    return await write();
  } catch (error) {
    if (error instanceof KubeError) return error.code !== "Unavailable" && error.code !== "Throttled";
    throw error;
  }
}

async function takeBack(
  ports: ClassPorts,
  { ref, provider }: Reviewed,
  { facts, signal }: { readonly facts: ReviewFacts; readonly signal: AbortSignal },
): Promise<true> {
  const key = objectKey(ref);
  const reported = whyOutOfDate(ports, key, facts);
  const change = (before: ClassStatus | undefined): ClassStatus | undefined => {
    if (before === undefined || !isCalledFresh(before)) return undefined;
    const status = withCondition(before, { type: "Fresh", status: "False", ...reported }, facts.now);
    return facts.isKnown ? { ...status, lastSuccessfulCheckTime: rfc3339(facts.lastCheck) } : status;
  };
  await ports.caches.statuses.update(ref, change, signal);
  reportStale(ports, { key, spc: provider });
  return true;
}

function whyOutOfDate(ports: ClassPorts, key: string, facts: CheckFacts): ReportedReason {
  const { state } = ports.caches.cluster.crdHealth;
  const lastPoll = ports.memory.states.get(key)?.lastPoll ?? facts.lastCheck;
  // Polls were made since then, but the answers came from a list that is older than one poll.
  if (lastPoll - facts.lastCheck > facts.interval) return throttledPolls(facts);
  return missedPolls(facts, state.kind === "frozen" ? state.why : undefined);
}
