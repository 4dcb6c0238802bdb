import { CLASS_ANNOTATIONS } from "../../domain/annotations.ts";
import { type ObjectRef, RESOURCES, type SecretProviderClass } from "../../domain/kubernetes.ts";
import { keyOf, objectKey, refOf } from "../../domain/object-key.ts";
import { syncMode } from "../../domain/schedule/sync-mode.ts";
import type { SecretStatus } from "../../domain/sync/class-status.ts";
import { type FetchNeed, fetchNeed } from "../../domain/sync/fetch-need.ts";
import { isOurs, secretObjectsOf } from "../../domain/sync/named-secrets.ts";
import { obsoleteSecrets } from "../../domain/sync/secret-plan.ts";
import { releaseDisagreed } from "../secrets/release-secrets.ts";
import { removeSecrets } from "../secrets/remove-secrets.ts";
import { contestedUntil, isRepair, noteRepair, repairPause } from "../secrets/repair-limit.ts";
import type { ClassResult, WorkerContext } from "../worker-context.ts";
import type { ClassMemory } from "./class-memory.ts";
import { intervalOf, memoryOf, nextPoll } from "./first-sight.ts";
import { reconcileForeign } from "./foreign-class.ts";
import { reportFrozen, reportThawed } from "./frozen-class.ts";
import { keepSnapshot } from "./keep-snapshot.ts";
import { reconcileLarge } from "./large-class.ts";
import { mirrorClass } from "./mirror-class.ts";
import { reconcileMissingClass, UNSETTLED_MS } from "./missing-class.ts";
import { specHashes } from "./spec-hash.ts";
import { reviewStaleness, staleAt } from "./stale-class.ts";
import { reconcileSwitchedOff, switchedOffBy } from "./switched-off-class.ts";
import { nextDateOf, tellDates } from "./tell-dates.ts";
import { reconcileUnused } from "./unused-class.ts";
import { warnOfAnnotations } from "./warn-class.ts";

const AT_ONCE: ClassResult = { kind: "again", after: 1 };
const AGAIN: ClassResult = { kind: "again", after: UNSETTLED_MS };

/** Looks at one class: reads the whole state, decides once, writes only differences. */
export async function reconcileClass(context: WorkerContext, ref: ObjectRef, signal: AbortSignal): Promise<ClassResult> {
  if (context.gate.state.kind === "frozen") await reportFrozen(context, ref, signal);
  const provider = context.classes.get(ref);
  if (provider === undefined) return reconcileMissingClass(context, ref, signal);
  if (context.gate.state.kind === "frozen") return AGAIN;
  if (provider.excess !== undefined) {
    if (await context.classes.admit(provider, signal)) return AT_ONCE;
    return reconcileLarge(context, { provider, excess: provider.excess }, signal);
  }
  const snapshot = await keepSnapshot(context, provider, signal);
  if (snapshot.kind === "unsettled") return AGAIN;
  warnOfAnnotations(context, provider);
  await reportThawed(context, provider, signal);
  const by = switchedOffBy(context, provider);
  if (by !== undefined) return reconcileSwitchedOff(context, { provider, by }, signal);
  if (!isOurs(provider)) return reconcileForeign(context, provider, signal);
  if (context.blind === undefined) await releaseDisagreed(context, provider, signal);
  const secretObjects = secretObjectsOf(provider);
  await removeObsolete(context, provider, new Set(secretObjects.map(({ secretName }) => secretName)), signal);
  if (secretObjects.length === 0) return retire(context, ref, signal);
  const mode = syncMode(provider, context.settings.syncMode);
  return mode === "while-used" ? mirrorWhileUsed(context, provider, signal) : mirrorWhenNeeded(context, provider, signal);
}

function mirrorWhileUsed(context: WorkerContext, provider: SecretProviderClass, signal: AbortSignal): Promise<ClassResult> {
  const memory = memoryOf(context, provider, intervalOf(context, provider));
  if (!context.consumers.isUsed(keyOf(provider))) {
    return reconcileUnused(context, { provider, memory, isUnchanged: (asked) => isUnchanged(context, provider, asked) }, signal);
  }
  memory.unusedSince = undefined;
  return mirrorWhenNeeded(context, provider, signal);
}

async function mirrorWhenNeeded(context: WorkerContext, provider: SecretProviderClass, signal: AbortSignal): Promise<ClassResult> {
  const key = keyOf(provider);
  const interval = intervalOf(context, provider);
  const memory = memoryOf(context, provider, interval);
  const need = needOf(context, provider, memory);
  const now = context.clock.now();
  const pause = need === undefined ? 0 : repairPause(memory, need, now);
  const isPollDue = isDue(context, memory);
  // A repair that waits keeps the other Secrets of the class waiting for no poll.
  if (pause > 0 && !isPollDue) return { kind: "again", after: Math.min(pause, untilPoll(context, memory)) };
  if (need !== undefined) {
    context.logger.debug("asking the vault", { class: key, need });
    noteRepair(memory, need, now);
    const { changeSeen } = memory;
    const refresh = provider.metadata.annotations?.[CLASS_ANNOTATIONS.refresh];
    const { isAnswered } = await mirrorClass(context, { provider, memory, need, interval, isPollDue }, signal);
    // Only now: an attempt that was cut short is none, and one without an answer leaves the request open.
    memory.triedRefresh = refresh;
    if (isAnswered) memory.lastRefresh = refresh;
    // A repair alone looks at what was damaged: a poll that came due meanwhile is still to come.
    if (isPollDue || !isRepair(need)) planPoll(context, key, memory, now);
    // One that was seen meanwhile is looked at once more.
    if (memory.changeSeen === changeSeen) memory.changeSeen = undefined;
  }
  await reviewStaleness(context, provider, memory, signal);
  tellDates(context, provider, memory);
  return (await context.statuses.storeUnstored(refOf(provider), signal)) ? untilNext(context, provider, memory) : AGAIN;
}

function planPoll(context: WorkerContext, key: string, memory: ClassMemory, polledAt: number): void {
  memory.lastPoll = Math.min(polledAt, memory.nextPoll);
  memory.nextPoll = nextPoll(context, key, memory.interval);
}

function isDue({ settings, clock }: WorkerContext, { nextPoll: due, changeSeen }: ClassMemory): boolean {
  return settings.enableSecretRotation && (clock.now() >= due || changeSeen !== undefined);
}

function untilPoll({ settings, clock }: WorkerContext, { nextPoll: due }: ClassMemory): number {
  return settings.enableSecretRotation ? Math.max(1, due - clock.now()) : Number.POSITIVE_INFINITY;
}

function needOf(context: WorkerContext, provider: SecretProviderClass, memory: ClassMemory): FetchNeed | undefined {
  const now = context.clock.now();
  const status = context.statuses.get(refOf(provider));
  const isContestTold = status?.secrets.some(({ state }) => state === "Contested") === true;
  const observed = new Map(context.secrets.ofClass(keyOf(provider)).map((secret) => [secret.ref.name, secret]));
  return fetchNeed({
    className: provider.metadata.name,
    generation: provider.metadata.generation ?? 0,
    observedGeneration: status?.observedClassGeneration,
    isSpecNew: isSpecNew(provider, status?.secrets ?? []),
    isRetryDue: memory.failures > 0 && now >= memory.retryAt,
    secretObjects: secretObjectsOf(provider).filter(
      ({ secretName }) => !memory.failing.has(secretName) && isSeen(context, provider, secretName),
    ),
    observed,
    refresh: provider.metadata.annotations?.[CLASS_ANNOTATIONS.refresh],
    lastRefresh: memory.triedRefresh,
    isPollDue: isDue(context, memory),
    isUseNew: memory.isIdle,
    isContestOver: isContestTold && contestedUntil(memory, now) === undefined,
  });
}

/** Of the Secrets that were written: one that failed waits for its next attempt, which compares for itself. */
function isSpecNew(provider: SecretProviderClass, stored: readonly SecretStatus[]): boolean {
  const hashes = specHashes(provider);
  const written = stored.filter(({ state }) => state === "Synced" || state === "Contested");
  return written.some(({ name, specHash }) => specHash !== undefined && specHash !== hashes.get(name));
}

/** Blind, a Secret that an earlier process wrote is no missing one: it is written at the next poll. */
function isSeen({ blind }: WorkerContext, { metadata }: SecretProviderClass, name: string): boolean {
  return blind === undefined || blind.get({ namespace: metadata.namespace ?? "", name }) !== undefined;
}

function untilNext(context: WorkerContext, provider: SecretProviderClass, memory: ClassMemory): ClassResult {
  const now = context.clock.now();
  const moments = [
    context.settings.enableSecretRotation ? memory.nextPoll : undefined,
    memory.failures > 0 ? memory.retryAt : undefined,
    contestedUntil(memory, now),
    staleAt(context, provider, memory),
    nextDateOf(context, provider),
  ];
  const due = moments.filter((moment) => moment !== undefined).filter(Number.isFinite);
  if (due.length === 0) return { kind: "done" };
  return { kind: "again", after: Math.max(1, Math.min(...due) - now) };
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
  context.memories.forget(objectKey(ref));
  if (context.statuses.get(ref) !== undefined) await context.statuses.remove(ref, signal);
  return { kind: "done" };
}
