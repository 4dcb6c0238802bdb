import type { SecretProviderClass } from "../../domain/kubernetes.ts";
import { KubeError } from "../../domain/ports/kube-error.ts";
import { type ClassStatus, conditionOf, rfc3339, type Told, withCondition } from "../../domain/sync/class-status.ts";
import { type CheckFacts, isOutOfDate, missedPolls, throttledPolls } from "../../domain/sync/freshness.ts";
import type { WorkerContext } from "../worker-context.ts";
import { keyOf, refOf } from "./class-ref.ts";
import { intervalOf, lastCheckOf } from "./first-sight.ts";
import { isPolled } from "./poll-progress.ts";
import { tellStale } from "./stale-class.ts";

/** Below the shortest interval, so that a claim never outlives its bound by a poll (milliseconds). */
const EVERY_MS = 5_000;

/** A new leader makes up for missed polls first, before it says of thousands of classes that they were missed (milliseconds). */
const MAKING_UP_MS = 60_000;

/**
 * Takes back that a class is fresh where nothing was seen of it for longer than two polls, and stores what could not be stored before. Beside
 * the queue of classes, because a class may be in a handler's hands all that time, waiting for a vault that says nothing, or have no turn
 * there. Until the signal aborts.
 */
export async function reviewFreshness(context: WorkerContext, signal: AbortSignal): Promise<void> {
  const startedAt = context.clock.now();
  while (!signal.aborted) {
    await context.clock.sleep(EVERY_MS, signal).catch(() => undefined);
    let isAnswering = true;
    for (const provider of context.classes.list()) {
      if (signal.aborted) return;
      const facts = outOfDate(context, provider, startedAt);
      if (facts !== undefined) await takeBack(context, provider, { facts, signal });
      else if (isAnswering) isAnswering = await storeAgain(context, provider, signal);
    }
  }
}

/** Asked of every class every few seconds: what nearly always says no, and costs least, comes first. */
function outOfDate(context: WorkerContext, provider: SecretProviderClass, startedAt: number): CheckFacts | undefined {
  const now = context.clock.now();
  if (now - startedAt < MAKING_UP_MS) return undefined;
  const memory = context.memories.get(keyOf(provider));
  const lastCheck = memory === undefined ? startedAt : lastCheckOf(memory);
  const facts = { lastCheck, interval: intervalOf(context, provider), now };
  if (!isOutOfDate(facts) || !isPolled(context, provider)) return undefined;
  return conditionOf(context.statuses.get(refOf(provider)), "Fresh")?.status === "True" ? facts : undefined;
}

/** False where the API server has no time for more of it: the next review goes on. What it says no to is no other class's trouble. */
async function storeAgain(context: WorkerContext, provider: SecretProviderClass, signal: AbortSignal): Promise<boolean> {
  try {
    return await context.statuses.storeUnstored(refOf(provider), signal);
  } catch (error) {
    if (signal.aborted) return false;
    if (error instanceof KubeError) return error.code !== "Unavailable" && error.code !== "Throttled";
    throw error;
  }
}

async function takeBack(
  context: WorkerContext,
  provider: SecretProviderClass,
  { facts, signal }: { readonly facts: CheckFacts; readonly signal: AbortSignal },
): Promise<void> {
  const told = whyOutOfDate(context, provider, facts);
  const change = (before: ClassStatus | undefined): ClassStatus | undefined => {
    if (before === undefined || conditionOf(before, "Fresh")?.status !== "True") return undefined;
    const status = withCondition(before, { type: "Fresh", status: "False", ...told }, facts.now);
    return { ...status, lastSuccessfulCheckTime: rfc3339(facts.lastCheck) };
  };
  try {
    await context.statuses.update(refOf(provider), change, signal);
  } catch (error) {
    // Stored by the next review.
    if (error instanceof KubeError || signal.aborted) return;
    throw error;
  }
  const memory = context.memories.get(keyOf(provider));
  if (memory !== undefined) tellStale(context, provider, memory);
}

function whyOutOfDate(context: WorkerContext, provider: SecretProviderClass, facts: CheckFacts): Told {
  const { state } = context.gate;
  const lastPoll = context.memories.get(keyOf(provider))?.lastPoll ?? facts.lastCheck;
  // Polls were made since, and answered by a list that is older than one poll.
  if (lastPoll - facts.lastCheck > facts.interval) return throttledPolls(facts);
  return missedPolls(facts, state.kind === "frozen" ? state.why : undefined);
}
