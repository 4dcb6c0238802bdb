import { CLASS_ANNOTATIONS } from "../../domain/annotations.ts";
import type { SecretProviderClass } from "../../domain/kubernetes.ts";
import { keyOf, refOf } from "../../domain/object-key.ts";
import type { Retry } from "../../domain/ports/retry.ts";
import { type ClassOutcome, nextStatus, type SecretStatus, type Told } from "../../domain/sync/class-status.ts";
import type { FetchNeed } from "../../domain/sync/fetch-need.ts";
import { isOutOfDate, throttledPolls } from "../../domain/sync/freshness.ts";
import { heldSecrets } from "../../domain/sync/key-status.ts";
import { secretObjectsOf } from "../../domain/sync/named-secrets.ts";
import { retryDelay } from "../../domain/sync/retry-delay.ts";
import { summarize } from "../../domain/sync/summarize.ts";
import { writeMirrored } from "../secrets/write-mirrored.ts";
import { questionOf } from "../vault/ask-vault.ts";
import type { Mirror, MirroredSecret } from "../vault/mirror.ts";
import type { WorkerContext } from "../worker-context.ts";
import type { ClassMemory } from "./class-memory.ts";
import { intervalBefore, lastCheckOf } from "./first-sight.ts";
import { maxStaleOf, tellStale } from "./stale-class.ts";
import { tellingProgress } from "./tell-progress.ts";
import { warnOfParameters } from "./warn-class.ts";

/** Secrets of one class that are written at a time: each waits for the API server, not for the others. */
const WRITES_AT_A_TIME = 4;

export interface MirrorInput {
  readonly provider: SecretProviderClass;
  readonly memory: ClassMemory;
  /** Why the vault is asked. */
  readonly need: FetchNeed;
  /** Milliseconds. */
  readonly interval: number;
  /** Whatever else it is for, the look is that poll, too. */
  readonly isPollDue: boolean;
}

export interface Mirrored {
  /** Of all objects, or a refusal that another attempt would end with, too. */
  readonly isAnswered: boolean;
}

/** Asks the vault, writes what differs, then says in status and event how it went. */
export async function mirrorClass(context: WorkerContext, input: MirrorInput, signal: AbortSignal): Promise<Mirrored> {
  const { provider, memory } = input;
  const stopTimer = context.metrics.syncDuration.startTimer();
  const question = questionOf(context, { ...input, interval: intervalBefore(memory, context.clock.now()) });
  const look = async (): Promise<readonly [Mirror, readonly SecretStatus[]]> => {
    const answer = await context.mirror(provider, question, signal);
    return [answer, await secretsAfter(context, input, answer, signal)];
  };
  const [mirror, secrets] = await tellingProgress(context, provider, look, signal);
  if (mirror.kind === "answered") warnOfParameters(context, provider, mirror.warnings);
  const isFresh = mirror.kind === "answered" && mirror.notFresh === undefined;
  if (mirror.kind === "answered" && isFresh) memory.lastSuccess = latest(memory.lastSuccess, mirror.checkedAt);
  const isAnswered = isFresh || mirror.retry.kind === "never";
  const outcome = outcomeOf(context, input, { mirror, secrets, isAnswered });
  context.metrics.syncs.inc({ reason: outcome.reason });
  memory.failing = new Set(secrets.filter(hasFailed).map(({ name }) => name));
  memory.isIdle = false;
  remember(context, input, { isFresh, retry: isFresh ? { kind: "backoff" } : mirror.retry });
  await report(context, input, outcome, signal);
  stopTimer();
  return { isAnswered };
}

async function secretsAfter(
  context: WorkerContext,
  input: MirrorInput,
  mirror: Mirror,
  signal: AbortSignal,
): Promise<readonly SecretStatus[]> {
  const { provider } = input;
  if (mirror.kind === "answered") return writeAll(context, input, mirror.secrets, signal);
  // While the vault gives no answer, the status keeps saying what the Secrets hold.
  const names = secretObjectsOf(provider).map(({ secretName }) => secretName);
  return heldSecrets(names, context.statuses.get(refOf(provider))?.secrets ?? [], mirror.reason);
}

async function writeAll(
  context: WorkerContext,
  { provider, memory, need }: MirrorInput,
  mirrored: readonly MirroredSecret[],
  signal: AbortSignal,
): Promise<readonly SecretStatus[]> {
  const statuses: SecretStatus[] = [];
  for (let index = 0; index < mirrored.length; index += WRITES_AT_A_TIME) {
    const some = mirrored.slice(index, index + WRITES_AT_A_TIME);
    const writes = some.map((entry) => writeMirrored(context, { provider, memory, need, entry }, signal));
    // Nothing is left under way when one of them fails.
    await Promise.allSettled(writes);
    statuses.push(...(await Promise.all(writes)));
  }
  return statuses;
}

interface Result extends Mirrored {
  readonly mirror: Mirror;
  readonly secrets: readonly SecretStatus[];
}

function outcomeOf(context: WorkerContext, { provider, memory }: MirrorInput, { mirror, secrets, isAnswered }: Result): ClassOutcome {
  const told = mirror.kind === "refused" ? { reason: mirror.reason, message: mirror.message } : summarize(secrets);
  const notFresh = mirror.kind === "refused" ? told : (mirror.notFresh ?? throttled(context, memory));
  return {
    ...told,
    generation: provider.metadata.generation ?? 0,
    isFresh: notFresh === undefined,
    notFresh,
    secrets,
    lastSuccess: memory.lastSuccess,
    maxStale: maxStaleOf(context, provider),
    refresh: isAnswered ? provider.metadata.annotations?.[CLASS_ANNOTATIONS.refresh] : memory.lastRefresh,
    guardrails: { problem: context.guardrails.problem },
  };
}

/** An answer that is made of what was seen long ago is none. */
function throttled({ settings, clock }: WorkerContext, memory: ClassMemory): Told | undefined {
  const facts = { lastCheck: lastCheckOf(memory), interval: memory.interval, now: clock.now() };
  return settings.enableSecretRotation && isOutOfDate(facts) ? throttledPolls(facts) : undefined;
}

function latest(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.max(one, other);
}

/** A contested Secret was written: what it waits for is not another attempt of ours. */
function hasFailed({ state }: SecretStatus): boolean {
  return state !== "Synced" && state !== "Contested";
}

interface Attempt {
  readonly isFresh: boolean;
  readonly retry: Retry;
}

function remember(context: WorkerContext, { memory, interval }: MirrorInput, { isFresh, retry }: Attempt): void {
  if (isFresh && memory.failing.size === 0) {
    memory.failures = 0;
    return;
  }
  const now = context.clock.now();
  // A poll that comes before may have been answered from what is known: the retry still asks.
  const awaited = memory.failures > 0 && memory.retryAt > now && retry.kind === "never" ? memory.retryAt : Number.POSITIVE_INFINITY;
  memory.failures += 1;
  memory.retryAt = Math.min(awaited, now + retryDelay(retry, memory.failures, { interval, spread: context.random() }));
}

async function report(
  context: WorkerContext,
  { provider, memory }: MirrorInput,
  outcome: ClassOutcome,
  signal: AbortSignal,
): Promise<void> {
  await context.statuses.update(refOf(provider), (told) => nextStatus(outcome, told, context.clock.now()), signal);
  tellStale(context, provider, memory);
  const { reason, message } = outcome;
  if (memory.lastTold?.reason === reason && memory.lastTold.message === message) return;
  const isFirstGood = reason === "Synced" && memory.lastTold?.reason === "Synced";
  memory.lastTold = { reason, message };
  if (isFirstGood) return;
  context.events.emit({ regarding: provider, type: reason === "Synced" ? "Normal" : "Warning", reason, message });
  const fields = { class: keyOf(provider), reason, detail: message };
  if (reason === "Synced") context.logger.info("class synced", fields);
  else context.logger.warn("class not synced", fields);
}
