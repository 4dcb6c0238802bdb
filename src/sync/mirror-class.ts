import { restoredClass } from "../domain/healing/snapshot.ts";
import type { SecretProviderClass } from "../domain/kubernetes.ts";
import { KubeError, type Retry } from "../domain/ports.ts";
import type { SyncReason } from "../domain/reasons.ts";
import { type ClassOutcome, nextStatus, type SecretStatus } from "../domain/sync/class-status.ts";
import { secretObjectsOf } from "../domain/sync/named-secrets.ts";
import { retryDelay } from "../domain/sync/retry-delay.ts";
import type { ClassMemory } from "./class-memory.ts";
import { refOf } from "./class-ref.ts";
import type { Mirror, MirroredSecret } from "./mirror.ts";
import { warnOfParameters } from "./warn-class.ts";
import type { WorkerContext } from "./worker-context.ts";
import { writeSecret } from "./write-secret.ts";

export interface MirrorInput {
  readonly provider: SecretProviderClass;
  readonly memory: ClassMemory;
  /** Milliseconds. */
  readonly interval: number;
}

/** Asks the vault, writes what differs, then says in status and event how it went. */
export async function mirrorClass(context: WorkerContext, input: MirrorInput, signal: AbortSignal): Promise<void> {
  const { provider, memory } = input;
  const mirror = await context.mirror(provider, signal);
  const secrets = mirror.kind === "answered" ? await writeAll(context, provider, mirror.secrets, signal) : storedSecrets(context, provider);
  if (mirror.kind === "answered") warnOfParameters(context, provider, mirror.warnings);
  const outcome = outcomeOf(provider, mirror, secrets);
  context.metrics.syncs.inc({ reason: outcome.reason });
  remember(context, input, { outcome, retry: mirror.kind === "refused" || !mirror.isFresh ? mirror.retry : { kind: "backoff" } });
  memory.failing = new Set(mirror.kind === "refused" ? secretObjectsOf(provider).map(({ secretName }) => secretName) : failed(secrets));
  await report(context, input, outcome, signal);
}

async function writeAll(
  context: WorkerContext,
  provider: SecretProviderClass,
  mirrored: readonly MirroredSecret[],
  signal: AbortSignal,
): Promise<readonly SecretStatus[]> {
  const statuses: SecretStatus[] = [];
  for (const entry of mirrored) statuses.push(await writeOne(context, provider, entry, signal));
  return statuses;
}

async function writeOne(
  context: WorkerContext,
  provider: SecretProviderClass,
  entry: MirroredSecret,
  signal: AbortSignal,
): Promise<SecretStatus> {
  if (entry.kind === "failed")
    return { name: entry.name, state: entry.reason, message: entry.message, data: storedKeys(context, provider, entry.name) };
  const { namespace = "", name: className } = provider.metadata;
  const { name } = entry.secret;
  const observed = context.secrets.get({ namespace, name });
  const isClaimedBy = (other: string): boolean => {
    // A class that went with its CRD and is not back yet claims its Secrets all the same.
    const claimant = context.classes.get({ namespace, name: other }) ?? snapshottedClass(context, `${namespace}/${other}`);
    return claimant !== undefined && secretObjectsOf(claimant).some(({ secretName }) => secretName === name);
  };
  try {
    const result = await writeSecret(context, { secret: entry.secret, className, namespace, observed, isClaimedBy }, signal);
    if (result.kind === "refused") return { name, state: result.reason, message: result.message, data: [] };
    if (result.kind === "written") context.metrics.secretWrites.inc({ action: result.action });
    return { name, state: "Synced", data: entry.keys };
  } catch (error) {
    const reason = refusalOf(error);
    if (reason === undefined) throw error;
    return { name, state: reason, message: error instanceof Error ? error.message : "", data: [] };
  }
}

function snapshottedClass(context: WorkerContext, key: string): SecretProviderClass | undefined {
  const snapshot = context.snapshots.get(key);
  return snapshot === undefined ? undefined : restoredClass(snapshot);
}

/** What the API server says no to for good; everything else is tried again by the queue. */
function refusalOf(error: unknown): SyncReason | undefined {
  if (!(error instanceof KubeError)) return undefined;
  if (error.code === "Invalid") return "InvalidObject";
  if (error.code === "TooLarge") return "TooLarge";
  return error.code === "Forbidden" ? "Forbidden" : undefined;
}

function outcomeOf(provider: SecretProviderClass, mirror: Mirror, secrets: readonly SecretStatus[]): ClassOutcome {
  const generation = provider.metadata.generation ?? 0;
  if (mirror.kind === "refused") return { generation, reason: mirror.reason, message: mirror.message, isFresh: false, secrets };
  const problems = secrets.filter(({ state }) => state !== "Synced");
  const [first] = problems;
  if (first === undefined)
    return {
      generation,
      reason: "Synced",
      message: `${secrets.length} of ${secrets.length} Secrets are up to date`,
      isFresh: mirror.isFresh,
      secrets,
    };
  const isPartial = problems.length < secrets.length;
  const message = isPartial
    ? `${secrets.length - problems.length} of ${secrets.length} Secrets are up to date; ${first.name}: ${first.message ?? ""}`
    : (first.message ?? "");
  return { generation, reason: isPartial ? "PartialSync" : first.state, message, isFresh: mirror.isFresh, secrets };
}

function failed(secrets: readonly SecretStatus[]): readonly string[] {
  return secrets.filter(({ state }) => state !== "Synced").map(({ name }) => name);
}

function remember(
  context: WorkerContext,
  { memory, interval }: MirrorInput,
  { outcome, retry }: { outcome: ClassOutcome; retry: Retry },
): void {
  if (outcome.reason === "Synced" && outcome.isFresh) {
    memory.failures = 0;
    return;
  }
  memory.failures += 1;
  memory.retryAt = context.clock.now() + retryDelay(retry, memory.failures, { interval, spread: context.random() });
}

async function report(
  context: WorkerContext,
  { provider, memory }: MirrorInput,
  outcome: ClassOutcome,
  signal: AbortSignal,
): Promise<void> {
  const ref = refOf(provider);
  const status = nextStatus(outcome, context.statuses.get(ref), context.clock.now());
  if (status !== undefined) await context.statuses.write(ref, status, signal);
  const { reason, message } = outcome;
  if (memory.lastTold?.reason === reason && memory.lastTold.message === message) return;
  const isFirstGood = reason === "Synced" && memory.lastTold?.reason === "Synced";
  memory.lastTold = { reason, message };
  if (isFirstGood) return;
  context.events.emit({ regarding: provider, type: reason === "Synced" ? "Normal" : "Warning", reason, message });
  const fields = { class: `${ref.namespace ?? ""}/${ref.name}`, reason, detail: message };
  if (reason === "Synced") context.logger.info("class synced", fields);
  else context.logger.warn("class not synced", fields);
}

/** While the vault gives no answer, the status keeps saying what the Secrets hold. */
function storedSecrets(context: WorkerContext, provider: SecretProviderClass): readonly SecretStatus[] {
  return context.statuses.get(refOf(provider))?.secrets ?? [];
}

function storedKeys(context: WorkerContext, provider: SecretProviderClass, name: string): SecretStatus["data"] {
  return storedSecrets(context, provider).find((secret) => secret.name === name)?.data ?? [];
}
