import { restoredClass } from "../../domain/healing/snapshot.ts";
import type { SecretProviderClass } from "../../domain/kubernetes.ts";
import { keyOf, refOf } from "../../domain/object-key.ts";
import { KubeError } from "../../domain/ports/kube-error.ts";
import type { SyncReason } from "../../domain/reasons.ts";
import { syncMode } from "../../domain/schedule/sync-mode.ts";
import type { SecretStatus } from "../../domain/sync/class-status.ts";
import { type FetchNeed, isAsWritten } from "../../domain/sync/fetch-need.ts";
import { heldKeys } from "../../domain/sync/key-status.ts";
import { secretObjectsOf } from "../../domain/sync/named-secrets.ts";
import type { ObservedSecret } from "../../domain/sync/observed-secret.ts";
import type { ClassMemory } from "../classes/class-memory.ts";
import { specHashes } from "../classes/spec-hash.ts";
import type { MirroredSecret } from "../vault/mirror.ts";
import type { WorkerContext } from "../worker-context.ts";
import { contestedUntil, isRepair } from "./repair-limit.ts";
import { contestedMessage, tellRepair, tellReplacement } from "./tell-repairs.ts";
import { writeForClass } from "./write-for-class.ts";

export interface MirroredWrite {
  readonly provider: SecretProviderClass;
  readonly memory: ClassMemory;
  /** Why the vault was asked. */
  readonly need: FetchNeed;
  readonly entry: MirroredSecret;
}

/** Writes one Secret of a class, where something differs, and says how it stands then. */
export async function writeMirrored(context: WorkerContext, write: MirroredWrite, signal: AbortSignal): Promise<SecretStatus> {
  const { provider, entry } = write;
  if (entry.kind === "failed") return failedStatus(context, write, { name: entry.name, state: entry.reason, message: entry.message });
  if (entry.kind === "unchanged") return writtenStatus(context, write, entry.name);
  const { namespace = "", name: className } = provider.metadata;
  const { name } = entry.secret;
  const observed = context.secrets.get({ namespace, name });
  try {
    const claim = { isClaimedBy: claimOf(context, namespace, name), elder: elderOf(context, provider, name) };
    const result = await writeForClass(context, provider, { secret: entry.secret, className, namespace, observed, ...claim }, signal);
    if (result.kind === "refused") return failedStatus(context, write, { name, state: result.reason, message: result.message });
    if (result.kind === "written") {
      context.metrics.secretWrites.inc({ action: result.action });
      if (result.action === "replace") tellReplacement(context, provider, { name, why: result.why });
      else if (isRepair(write.need) && isDamaged(provider, name, observed)) tellRepair(context, write, { name, observed });
    }
    return writtenStatus(context, write, name);
  } catch (error) {
    const state = refusalOf(error);
    if (state === undefined) throw error;
    return failedStatus(context, write, { name, state, message: error instanceof Error ? error.message : "" });
  }
}

/** A Secret that somebody damages after each repair is as it should be for moments only. */
function writtenStatus(context: WorkerContext, { provider, memory, entry }: MirroredWrite, name: string): SecretStatus {
  const specHash = specHashes(provider).get(name);
  const written = { ...(specHash === undefined ? {} : { specHash }), data: entry.keys };
  const who = memory.contenders.get(name);
  if (who === undefined || contestedUntil(memory, context.clock.now()) === undefined) return { name, state: "Synced", ...written };
  return { name, state: "Contested", message: contestedMessage(name, who), ...written };
}

/** What was there stays, and the status goes on saying what that is. */
function failedStatus(
  context: WorkerContext,
  { provider, entry }: MirroredWrite,
  told: Pick<SecretStatus, "name" | "state" | "message">,
): SecretStatus {
  const { data = [], specHash } = context.statuses.get(refOf(provider))?.secrets.find(({ name }) => name === told.name) ?? {};
  // What a Secret of somebody else holds is not ours to say.
  if (entry.kind !== "failed" && told.state === "Conflict") return { ...told, data: [] };
  const held = { ...told, ...(specHash === undefined ? {} : { specHash }) };
  return { ...held, data: entry.kind === "failed" ? heldKeys(entry.keys, data) : data };
}

function isDamaged(provider: SecretProviderClass, name: string, observed: ObservedSecret | undefined): boolean {
  const secretObject = secretObjectsOf(provider).find(({ secretName }) => secretName === name);
  return secretObject !== undefined && !isAsWritten(provider.metadata.name, secretObject, observed);
}

/** Whether another class, which may be one that went with its CRD and is not back yet, names the Secret. */
function claimOf(context: WorkerContext, namespace: string, secretName: string): (className: string) => boolean {
  return (className) => {
    const claimant = context.classes.get({ namespace, name: className }) ?? snapshottedClass(context, `${namespace}/${className}`);
    return claimant !== undefined && secretObjectsOf(claimant).some((secretObject) => secretObject.secretName === secretName);
  };
}

function snapshottedClass(context: WorkerContext, key: string): SecretProviderClass | undefined {
  const snapshot = context.snapshots.get(key);
  return snapshot === undefined ? undefined : restoredClass(snapshot);
}

/** The class that comes first where nobody has the Secret yet: the oldest of those that would write it. */
function elderOf(context: WorkerContext, provider: SecretProviderClass, secretName: string): string | undefined {
  const { namespace = "", name } = provider.metadata;
  const oldest = context.claims.of(namespace, secretName).find((claimant) => isMirrored(context, claimant))?.metadata.name;
  return oldest === name ? undefined : oldest;
}

/** Whether the class writes its Secrets at the moment. */
export function isMirrored(context: WorkerContext, provider: SecretProviderClass): boolean {
  if (!context.settings.syncSecret) return false;
  const mode = syncMode(provider, context.settings.syncMode);
  return mode === "always" || (mode === "while-used" && context.consumers.isUsed(keyOf(provider)));
}

/** What the API server says no to for good; everything else is tried again by the queue. */
function refusalOf(error: unknown): SyncReason | undefined {
  if (!(error instanceof KubeError)) return undefined;
  if (error.code === "Invalid") return "InvalidObject";
  if (error.code === "TooLarge") return "TooLarge";
  return error.code === "Forbidden" ? "Forbidden" : undefined;
}
