import { assertNever } from "../../domain/assert-never.ts";
import { formatDuration } from "../../domain/duration.ts";
import type { SecretProviderClass } from "../../domain/kubernetes.ts";
import { keyOf, refOf } from "../../domain/object-key.ts";
import { nextStatus } from "../../domain/sync/class-status.ts";
import { UNUSED_MESSAGE } from "../../domain/sync/summarize.ts";
import { unusedVerdict } from "../../domain/sync/unused.ts";
import { removeSecrets } from "../secrets/remove-secrets.ts";
import { writtenFor } from "../secrets/secret-store.ts";
import type { ClassResult, WorkerContext } from "../worker-context.ts";
import type { ClassMemory } from "./class-memory.ts";
import { hasLiveConsumer } from "./consumers.ts";

/** How soon a class is looked at again whose pods are not known for certain (milliseconds). */
const UNCERTAIN: ClassResult = { kind: "again", after: 5_000 };

export interface UnusedClass {
  readonly provider: SecretProviderClass;
  readonly memory: ClassMemory;
  /** Asks the API server whether the class still is as it was read. */
  readonly isUnchanged: (signal: AbortSignal) => Promise<boolean>;
}

/**
 * A `while-used` class that no pod mounts. What it has stays for a grace, untouched: a workload that is scaled to nothing
 * and back, or replaced, finds its Secrets. What it does not have is not made.
 */
export async function reconcileUnused(context: WorkerContext, unused: UnusedClass, signal: AbortSignal): Promise<ClassResult> {
  const { provider, memory } = unused;
  const { clock, consumers, secrets, settings } = context;
  const owned = writtenFor(secrets, refOf(provider));
  const verdict = unusedVerdict({
    hasSecrets: owned.length > 0,
    now: clock.now(),
    lastActivity: consumers.lastActivity,
    unbrokenSince: consumers.unbrokenSince,
    isFollowed: consumers.isFollowed,
    unusedSince: memory.unusedSince,
    grace: settings.unusedGrace,
  });
  memory.unusedSince = "since" in verdict ? verdict.since : undefined;
  switch (verdict.kind) {
    case "rest":
      return rest(context, unused, signal);
    case "unseen":
      return UNCERTAIN;
    case "wait":
      return { kind: "again", after: verdict.milliseconds };
    case "expired": {
      if (!(await isUnusedForCertain(context, unused, signal))) return UNCERTAIN;
      const why = `no pod has mounted its class for ${formatDuration(clock.now() - verdict.since)}`;
      await removeSecrets(context, { secrets: owned, className: provider.metadata.name, why }, signal);
      return rest(context, unused, signal);
    }
    default:
      return assertNever(verdict);
  }
}

/** The watch may lag behind: the API server is asked for pods, then for the class, and the watch once more for a pod that came meanwhile. */
async function isUnusedForCertain(context: WorkerContext, { provider, isUnchanged }: UnusedClass, signal: AbortSignal): Promise<boolean> {
  const { namespace = "", name } = provider.metadata;
  if (await hasLiveConsumer(context.kube, { namespace, name }, signal)) return false;
  return (await isUnchanged(signal)) && !context.consumers.isUsed(keyOf(provider));
}

/** Nothing is there and nothing is wanted: the status says why. */
async function rest(context: WorkerContext, { provider, memory }: UnusedClass, signal: AbortSignal): Promise<ClassResult> {
  const ref = refOf(provider);
  memory.isIdle = true;
  memory.failures = 0;
  memory.failing = new Set();
  memory.lastTold = { reason: "Synced", message: UNUSED_MESSAGE };
  const outcome = {
    generation: provider.metadata.generation ?? 0,
    reason: "Synced" as const,
    message: UNUSED_MESSAGE,
    isFresh: undefined,
    secrets: [],
    lastSuccess: memory.lastSuccess,
    refresh: memory.lastRefresh,
  };
  await context.statuses.update(ref, (told) => nextStatus(outcome, told, context.clock.now()), signal);
  return (await context.statuses.storeUnstored(ref, signal)) ? { kind: "done" } : UNCERTAIN;
}
