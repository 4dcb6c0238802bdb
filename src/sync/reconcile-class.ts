import { CLASS_ANNOTATIONS } from "../domain/annotations.ts";
import { type ObjectRef, RESOURCES, type SecretProviderClass } from "../domain/kubernetes.ts";
import { untilNextPoll } from "../domain/schedule/phase.ts";
import { pollInterval } from "../domain/schedule/poll-interval.ts";
import { type FetchNeed, fetchNeed } from "../domain/sync/fetch-need.ts";
import { secretObjectsOf } from "../domain/sync/named-secrets.ts";
import { obsoleteSecrets } from "../domain/sync/secret-plan.ts";
import { syncMode } from "../domain/sync/sync-mode.ts";
import type { ClassMemory } from "./class-memory.ts";
import { refOf } from "./class-ref.ts";
import { keepSnapshot } from "./keep-snapshot.ts";
import { mirrorClass } from "./mirror-class.ts";
import { reconcileMissingClass, UNSETTLED_MS } from "./missing-class.ts";
import { removeSecrets } from "./remove-secrets.ts";
import { noteRepair, repairPause } from "./repair-limit.ts";
import { warnOfAnnotations } from "./warn-class.ts";
import type { ClassResult, WorkerContext } from "./worker-context.ts";

const AGAIN: ClassResult = { kind: "again", after: UNSETTLED_MS };

/** Looks at one class: reads the whole state, decides once, writes only differences. */
export async function reconcileClass(context: WorkerContext, ref: ObjectRef, signal: AbortSignal): Promise<ClassResult> {
  const provider = context.classes.get(ref);
  if (provider === undefined) return reconcileMissingClass(context, ref, signal);
  if (context.gate.state.kind === "frozen") return AGAIN;
  const snapshot = await keepSnapshot(context, provider, signal);
  if (snapshot.kind === "unsettled") return AGAIN;
  warnOfAnnotations(context, provider);
  const mode = syncMode(provider, context.settings.syncMode);
  // Switched off, what was mirrored stays as it is.
  if (mode === "never" || !context.settings.syncSecret) return { kind: "done" };
  const secretObjects = secretObjectsOf(provider);
  await removeObsolete(context, provider, new Set(secretObjects.map(({ secretName }) => secretName)), signal);
  if (secretObjects.length === 0) return retire(context, ref, signal);
  return mirrorWhenNeeded(context, provider, signal);
}

async function mirrorWhenNeeded(context: WorkerContext, provider: SecretProviderClass, signal: AbortSignal): Promise<ClassResult> {
  const key = keyOf(provider);
  const interval = pollInterval(provider, context.settings.rotationPollInterval);
  const memory = context.memories.get(key) ?? firstSight(context, provider, interval);
  const need = needOf(context, provider, memory);
  const pause = need === undefined ? 0 : repairPause(memory, need, context.clock.now());
  if (pause > 0) return { kind: "again", after: pause };
  if (need !== undefined) {
    context.logger.debug("asking the vault", { class: key, need });
    noteRepair(memory, need, context.clock.now());
    await mirrorClass(context, { provider, memory, interval }, signal);
    // Only now: an attempt that was cut short is no answer to the request.
    memory.lastRefresh = provider.metadata.annotations?.[CLASS_ANNOTATIONS.refresh];
    memory.nextPoll = nextPoll(context, key, interval);
  }
  return (await context.statuses.storeUnstored(refOf(provider), signal)) ? untilNext(context, memory) : AGAIN;
}

function needOf(context: WorkerContext, provider: SecretProviderClass, memory: ClassMemory): FetchNeed | undefined {
  const now = context.clock.now();
  const key = keyOf(provider);
  const isRetryDue = memory.failures > 0 && now >= memory.retryAt;
  const observed = new Map(context.secrets.ofClass(key).map((secret) => [secret.ref.name, secret]));
  return fetchNeed({
    className: provider.metadata.name,
    generation: provider.metadata.generation ?? 0,
    observedGeneration: context.statuses.get(refOf(provider))?.observedGeneration,
    isRetryDue,
    secretObjects: secretObjectsOf(provider).filter(({ secretName }) => !memory.failing.has(secretName)),
    observed,
    refresh: provider.metadata.annotations?.[CLASS_ANNOTATIONS.refresh],
    lastRefresh: memory.lastRefresh,
    isPollDue: context.settings.enableSecretRotation && now >= memory.nextPoll,
  });
}

/** After a start, what is stored decides: a class whose status says `Synced` is not asked for before its phase. */
function firstSight(context: WorkerContext, provider: SecretProviderClass, interval: number): ClassMemory {
  const key = keyOf(provider);
  const synced = context.statuses.get(refOf(provider))?.conditions.find(({ type }) => type === "Synced");
  const hasFailed = synced !== undefined && synced.status !== "True";
  return context.memories.remember(key, {
    nextPoll: nextPoll(context, key, interval),
    failures: hasFailed ? 1 : 0,
    retryAt: context.clock.now(),
    lastRefresh: synced === undefined ? undefined : provider.metadata.annotations?.[CLASS_ANNOTATIONS.refresh],
    failing: new Set(),
    repairs: { inARow: 0, last: Number.NEGATIVE_INFINITY },
    lastTold: synced === undefined ? undefined : { reason: synced.reason, message: synced.message },
  });
}

function nextPoll(context: WorkerContext, key: string, interval: number): number {
  const now = context.clock.now();
  return now + untilNextPoll({ cluster: context.settings.cluster, key, interval, now });
}

function untilNext(context: WorkerContext, memory: ClassMemory): ClassResult {
  const due = [...(context.settings.enableSecretRotation ? [memory.nextPoll] : []), ...(memory.failures > 0 ? [memory.retryAt] : [])];
  if (due.length === 0) return { kind: "done" };
  return { kind: "again", after: Math.max(1, Math.min(...due) - context.clock.now()) };
}

/** What no secretObject names any more goes; the class was just seen uncut, and is asked for once more before anything is deleted. */
async function removeObsolete(
  context: WorkerContext,
  provider: SecretProviderClass,
  named: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<void> {
  const { name } = provider.metadata;
  const obsolete = obsoleteSecrets(context.secrets.ofClass(keyOf(provider)), name, named);
  if (obsolete.length === 0 || !(await isUnchanged(context, provider, signal))) return;
  await removeSecrets(context, { secrets: obsolete, className: name, why: "its class no longer names it" }, signal);
}

async function isUnchanged(context: WorkerContext, provider: SecretProviderClass, signal: AbortSignal): Promise<boolean> {
  const found = await context.kube.read<SecretProviderClass>(RESOURCES.secretProviderClasses, refOf(provider), signal);
  const gate = await context.gate.confirm(signal);
  return gate.kind === "whole" && found.kind === "found" && found.object.metadata.resourceVersion === provider.metadata.resourceVersion;
}

/** A class that mirrors nothing has no status. */
async function retire(context: WorkerContext, ref: ObjectRef, signal: AbortSignal): Promise<ClassResult> {
  context.memories.forget(`${ref.namespace ?? ""}/${ref.name}`);
  if (context.statuses.get(ref) !== undefined) await context.statuses.remove(ref, signal);
  return { kind: "done" };
}

function keyOf({ metadata }: SecretProviderClass): string {
  return `${metadata.namespace ?? ""}/${metadata.name}`;
}
