import type { SecretProviderClass } from "../../domain/kubernetes.ts";
import { keyOf, refOf, refOfKey } from "../../domain/object-key.ts";
import { KubeError } from "../../domain/ports/kube-error.ts";
import type { Logger } from "../../domain/ports/logger.ts";
import type { HeldClass } from "../../domain/provider-class/held-class.ts";
import { pollInterval } from "../../domain/schedule/class-annotations.ts";
import { type ClassStatus, conditionOf, rfc3339, type Told, withCondition } from "../../domain/sync/class-status.ts";
import { type CheckFacts, isOutOfDate, missedPolls, throttledPolls } from "../../domain/sync/freshness.ts";
import { WorkQueue } from "../../runtime/workqueue.ts";
import { RETRIES } from "../patience.ts";
import { runTogether } from "../run-together.ts";
import { tellStale } from "./apply.ts";
import { isPolled } from "./poll-progress.ts";
import type { ClassPorts } from "./ports.ts";
import { lastCheckOf } from "./state.ts";
import { mayBeOutdated, takeReadyBack, WORTH_TELLING_MS } from "./unanswered-edits.ts";

/** Below the shortest interval, so that a claim never outlives its bound by a poll (milliseconds). */
const EVERY_MS = 5_000;

/** A new leader makes up for missed polls first, before it says of thousands of classes that they were missed (milliseconds). */
const MAKING_UP_MS = 60_000;

/** Namespaces whose statuses are written at the same time. Half of the writes that the API server gets at a time, so that classes keep the rest. */
const NAMESPACES_AT_A_TIME = 16;

/**
 * Takes back that a class is fresh where nothing was seen of it for longer than two polls, and that it is ready where it is another one by
 * now; stores what could not be stored before. Beside the queue of classes, because a class may be in a handler's hands all that time, waiting for a vault that says nothing, or have no turn
 * there. A queue of its own, in which namespaces take turns with one write each: what an admission webhook does to the statuses of one
 * namespace is that namespace's trouble. Until the signal aborts.
 */
export async function reviewStatuses(
  ports: ClassPorts,
  { logger, random }: { readonly logger: Logger; readonly random: () => number },
  signal: AbortSignal,
): Promise<void> {
  const startedAt = ports.clock.now();
  /** Namespaces for which the API server has no time before the next review. */
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
      const provider = ports.stores.classes.get(refOfKey(classKey));
      if (provider === undefined || unanswered.has(namespace)) return { kind: "done" };
      const edit = reviewEdit(ports, provider);
      if (typeof edit === "number") return { kind: "requeueAfter", milliseconds: edit };
      const facts = outOfDate(ports, provider, startedAt);
      const isAnswered = await answers(async () => {
        if (edit === "due") await takeReadyBack(ports, provider, handleSignal);
        if (facts !== undefined) return takeBack(ports, provider, { facts, signal: handleSignal });
        return ports.stores.statuses.storeUnstored(refOf(provider), handleSignal);
      });
      if (!isAnswered) unanswered.add(namespace);
      return { kind: "done" };
    },
  });
  ports.stores.edits.observe((classKey) => queue.addAfter(classKey, WORTH_TELLING_MS));
  const scan = async (running: AbortSignal): Promise<void> => {
    while (!running.aborted) {
      await ports.clock.sleep(EVERY_MS, running).catch(() => undefined);
      unanswered.clear();
      for (const classKey of ports.stores.edits.keys()) queue.add(classKey);
      for (const provider of ports.stores.classes.list()) {
        const ref = refOf(provider);
        if (ports.stores.statuses.hasUnstored(ref) || outOfDate(ports, provider, startedAt) !== undefined) queue.add(keyOf(provider));
      }
    }
  };
  await runTogether([(running) => queue.run(running), scan], signal);
}

function namespaceOf(classKey: string): string {
  return refOfKey(classKey).namespace;
}

/** Milliseconds until it is worth telling that an edit has no answer; undefined where it has one, or nobody knows. */
function reviewEdit({ caches, gate, stores }: ClassPorts, provider: HeldClass): "due" | number | undefined {
  const { edits, statuses } = stores;
  const dueIn = edits.dueIn(keyOf(provider));
  // While its CRD is not whole, the class may be served cut: a later review knows.
  if (dueIn === undefined || !(statuses.hasSynced || statuses.isUnserved) || gate.state.kind === "frozen") return undefined;
  if (!mayBeOutdated(caches, statuses, provider)) {
    edits.end(keyOf(provider));
    return undefined;
  }
  return dueIn > 0 ? dueIn : "due";
}

/** Asked of every class every few seconds: what nearly always says no, and costs least, comes first. */
function outOfDate(ports: ClassPorts, provider: SecretProviderClass, startedAt: number): CheckFacts | undefined {
  const now = ports.clock.now();
  if (now - startedAt < MAKING_UP_MS) return undefined;
  const state = ports.stores.states.get(keyOf(provider));
  const lastCheck = state === undefined ? startedAt : lastCheckOf(state);
  const facts = { lastCheck, interval: pollInterval(provider, ports.caches.settings.rotationPollInterval), now };
  if (!isOutOfDate(facts) || !isPolled(ports.caches, provider)) return undefined;
  return conditionOf(ports.stores.statuses.get(refOf(provider)), "Fresh")?.status === "True" ? facts : undefined;
}

/** False where the API server has no time for more of the namespace. What it says no to is stored by a later review, and no other class's trouble. */
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
  provider: SecretProviderClass,
  { facts, signal }: { readonly facts: CheckFacts; readonly signal: AbortSignal },
): Promise<true> {
  const told = whyOutOfDate(ports, provider, facts);
  const change = (before: ClassStatus | undefined): ClassStatus | undefined => {
    if (before === undefined || conditionOf(before, "Fresh")?.status !== "True") return undefined;
    const status = withCondition(before, { type: "Fresh", status: "False", ...told }, facts.now);
    return { ...status, lastSuccessfulCheckTime: rfc3339(facts.lastCheck) };
  };
  await ports.stores.statuses.update(refOf(provider), change, signal);
  if (ports.stores.states.get(keyOf(provider)) !== undefined) tellStale(ports, { key: keyOf(provider), spc: provider });
  return true;
}

function whyOutOfDate(ports: ClassPorts, provider: SecretProviderClass, facts: CheckFacts): Told {
  const { state } = ports.gate;
  const lastPoll = ports.stores.states.get(keyOf(provider))?.lastPoll ?? facts.lastCheck;
  // Polls were made since, and answered by a list that is older than one poll.
  if (lastPoll - facts.lastCheck > facts.interval) return throttledPolls(facts);
  return missedPolls(facts, state.kind === "frozen" ? state.why : undefined);
}
