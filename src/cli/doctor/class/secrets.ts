import { MANAGED_LABEL, SECRET_ANNOTATIONS } from "../../../domain/annotations.ts";
import type { ObjectFile } from "../../../domain/content/object-file.ts";
import { OWN_DEPLOYMENT } from "../../../domain/healing/components.ts";
import { RESOURCES, type Secret, type SecretProviderClass } from "../../../domain/kubernetes.ts";
import { entryKey as dataKeyOf, filesOfEntry } from "../../../domain/secret-data/data-entries.ts";
import { type Shard, shardLease } from "../../../domain/shards.ts";
import { shell } from "../../../domain/shell-words.ts";
import { conditionOf } from "../../../domain/sync/class-status.ts";
import { secretObjectsOf } from "../../../domain/sync/named-secrets.ts";
import type { ClassStatus, SecretStatus } from "../../../domain/sync/status-fields.ts";
import { readStatus, type SecretProviderClassSync } from "../../../domain/sync/stored-status.ts";
import { DRIVER_MANAGED_LABEL, DRIVER_SYNC_GUIDE } from "../../../domain/sync/take-over.ts";
import { ownEntry } from "../../../domain/text-map.ts";
import { shardOf } from "../../../runtime/shard-of.ts";
import { type ClassContext, type ClassSettings, mirrorsNothing, offBecause } from "../../shared/class-context.ts";
import { heldKeyText } from "../../shared/held-keys.ts";
import { lookUp, valueIn } from "../../shared/viewer.ts";
import { type ClassFinding, fineLeaf, found } from "./leaves.ts";

/** Checks the worker's status, and whether it describes the current class. `status` is undefined if there is none to compare with. */
export async function checkStatus(
  { install, viewer }: ClassContext,
  spc: SecretProviderClass,
): Promise<{ readonly finding: ClassFinding; readonly status?: ClassStatus }> {
  const judged = judgedClass(install.settings, spc);
  const { namespace, name, off, makesSecrets } = judged;
  if (off !== undefined && makesSecrets) return { finding: fineLeaf("status-off", off) };
  const reading = await lookUp<SecretProviderClassSync>(viewer, RESOURCES.secretProviderClassSyncs, { namespace, name });
  if (reading.kind === "unseen") return { finding: statusUnreadable(reading.why) };
  const status = readStatus(valueIn(reading)?.status);
  return { finding: judgeStatus(judged, status), ...(status === undefined ? {} : { status }) };
}

/** Parts of a class by which its status is judged. */
export interface JudgedClass {
  readonly namespace: string;
  readonly name: string;
  readonly generation: number;
  /** Result of {@link offBecause}. */
  readonly off: string | undefined;
  readonly makesSecrets: boolean;
  /** Shard of the namespace. */
  readonly shard: Shard;
}

export function judgedClass(settings: ClassSettings, spc: SecretProviderClass): JudgedClass {
  const { namespace = "", name, generation = 0 } = spc.metadata;
  const shard = { index: shardOf(namespace, settings.shards), count: settings.shards };
  return { namespace, name, generation, off: offBecause(settings, spc), makesSecrets: !mirrorsNothing(spc), shard };
}

export function statusUnreadable(why: string): ClassFinding {
  return found("status-unreadable", why, "Ask for the role keyvault-injector-view.");
}

export function judgeStatus(spc: JudgedClass, status: ClassStatus | undefined): ClassFinding {
  const { off, makesSecrets } = spc;
  if (off !== undefined && (makesSecrets || status === undefined)) return fineLeaf("status-off", off);
  if (status !== undefined) return verdictOn(spc, status);
  const fix = `Make sure that a worker leads${ofShard(spc.shard)}: keyvault-injector doctor, check lease.`;
  return found("status-absent", "the worker has not written a status for the class", fix);
}

function verdictOn(spc: JudgedClass, status: ClassStatus): ClassFinding {
  const synced = conditionOf(status, "Synced");
  const said = synced === undefined ? "Unknown" : saidOf(synced);
  if (status.observedClassGeneration < spc.generation) {
    const message = `the worker has not reconciled the current class yet; its last status was ${said}`;
    return found("status-outdated", message, OUTDATED_FIX);
  }
  if (synced?.status === "True") {
    const checked = status.lastSuccessfulCheckTime === undefined ? "" : `, checked ${status.lastSuccessfulCheckTime} or later`;
    const what = spc.makesSecrets ? `${status.syncedSecrets} of ${status.desiredSecrets} Secrets are synced` : synced.message;
    return fineLeaf("status-ok", `${what}${checked}${spc.shard.count > 1 ? `, by the worker of${ofShard(spc.shard)}` : ""}`);
  }
  return found("status-failing", said, statusFix(spc, said));
}

const OUTDATED_FIX = "Wait a moment, then check again.";

function saidOf({ reason, message }: { readonly reason: string; readonly message?: string | undefined }): string {
  return message === undefined ? reason : `${reason}: ${message}`;
}

function ofShard({ index, count }: Shard): string {
  return count === 1 ? "" : ` shard ${index} of ${count} (Lease ${shardLease(OWN_DEPLOYMENT, index)})`;
}

export function statusFix({ namespace, name }: Pick<JudgedClass, "namespace" | "name">, said: string): string {
  return `Do what the status says (${said}); for details, ${shell`run keyvault-injector explain spc/${name} -n ${namespace}`}.`;
}

/**
 * Returns what to fix before the Secret: while the worker cannot sync the class, it does not repair the Secrets of the class. Returns
 * undefined if the Secret is synced.
 */
export function notSyncedFix(
  spc: Pick<JudgedClass, "namespace" | "name" | "generation">,
  status: SaidOfSecrets,
  { state, message }: SecretStatus,
): string | undefined {
  if (state === "Synced") return undefined;
  if (status.observedClassGeneration < spc.generation) return OUTDATED_FIX;
  const synced = conditionOf(status, "Synced");
  // Only the condition has the message about a problem of the whole class.
  return statusFix(spc, message === undefined && synced !== undefined ? saidOf(synced) : saidOf({ reason: state, message }));
}

/** Parts of a status that describe the Secrets. */
type SaidOfSecrets = Pick<ClassStatus, "observedClassGeneration" | "conditions" | "secrets">;

export interface Compared {
  readonly status: SaidOfSecrets;
  /** Files that the class now produces from the vault. */
  readonly files: readonly ObjectFile[];
}

/** Checks whether each Secret in the status exists, belongs to the class, is unedited, and has the versions that the status names. */
export async function checkSecrets(context: ClassContext, spc: SecretProviderClass, compared: Compared): Promise<readonly ClassFinding[]> {
  const findings: ClassFinding[] = [];
  for (const secret of compared.status.secrets) findings.push(await checkSecret(context, spc, secret, compared));
  return findings;
}

async function checkSecret(
  context: ClassContext,
  spc: SecretProviderClass,
  status: SecretStatus,
  { status: ofClass, files }: Compared,
): Promise<ClassFinding> {
  const { namespace = "", name: className, generation = 0 } = spc.metadata;
  const named = `Secret ${namespace}/${status.name}`;
  const reading = await lookUp<Secret>(context.viewer, RESOURCES.secrets, { namespace, name: status.name });
  if (reading.kind === "unseen") return found("secret-unreadable", reading.why, `Ask for permission to get ${named}.`);
  const before = notSyncedFix({ namespace, name: className, generation }, ofClass, status);
  if (reading.kind !== "seen") return secretAbsent(named, status, before);
  const problem =
    ownerProblem(reading.value, className) ??
    contentProblem(context, reading.value, status) ??
    versionProblem(reading.value, spc, status, files);
  if (problem === undefined) return fineLeaf("secret-ok", `${named} ${matchText(spc, status)}`);
  // The worker never repairs a Secret of another owner, so the advice for it applies regardless of the status.
  return found(problem.leaf, `${named} ${problem.why}`, problem.leaf === "secret-foreign" ? problem.fix : (before ?? problem.fix));
}

/** Describes an intact Secret. A key may hold an object that the class no longer names; the text then names both objects. */
function matchText(spc: SecretProviderClass, status: SecretStatus): string {
  const held = heldKeyText(spc, status);
  const older = status.data.flatMap((key) => held(key) ?? []);
  return older.length === 0 ? "matches the status" : `is as the worker last wrote it: ${older.join(", ")}`;
}

/** Whether the status says that the worker has written at least one key. */
export function wasWritten({ data }: SecretStatus): boolean {
  return data.some(({ version }) => version !== undefined);
}

/** `named`: the Secret for messages, such as `Secret shop/db`. `before`: result of {@link notSyncedFix}. */
export function secretAbsent(named: string, status: SecretStatus, before: string | undefined): ClassFinding {
  const isSaid = status.state !== "Synced" || !wasWritten(status);
  const why = isSaid
    ? `the status says ${saidOf({ reason: status.state, message: status.message })}`
    : "the status says that it was written";
  const fix = "Make sure that a worker leads, which writes it again: keyvault-injector doctor, check lease.";
  return found("secret-absent", `${named} does not exist: ${why}`, before ?? fix);
}

interface SecretProblem {
  readonly leaf: "secret-foreign" | "secret-edited" | "secret-differs" | "secret-behind";
  /** Text after the Secret's name. */
  readonly why: string;
  readonly fix: string;
}

function ownerProblem({ metadata: { labels = {}, annotations = {} } }: Secret, className: string): SecretProblem | undefined {
  const leaf = "secret-foreign";
  if (labels[MANAGED_LABEL] !== "true") {
    if (labels[DRIVER_MANAGED_LABEL] === "true")
      return { leaf, why: "is written by the CSI driver's own sync", fix: `Follow ${DRIVER_SYNC_GUIDE}.` };
    const why = `has no label ${MANAGED_LABEL}: someone else created it`;
    return { leaf, why, fix: "Delete it, or choose another secretName in the class." };
  }
  const owner = annotations[SECRET_ANNOTATIONS.class];
  if (owner === className) return undefined;
  const why = `is written for the class ${owner ?? "without a name"}`;
  return { leaf, why, fix: "Give one of the two classes another secretName." };
}

function contentProblem(
  { install: { fingerprints }, worker }: ClassContext,
  secret: Secret,
  { data }: SecretStatus,
): SecretProblem | undefined {
  const missing = [
    ...new Set(data.filter(({ key, version }) => version !== undefined && ownEntry(secret.data, key) === undefined).map(({ key }) => key)),
  ];
  const isEdited = missing.length > 0 || (fingerprints !== undefined && !worker.observe(secret, fingerprints).isContentIntact);
  if (!isEdited) return undefined;
  const why = missing.length > 0 ? `lacks ${missing.join(", ")}` : "has other content than the worker wrote";
  return { leaf: "secret-edited", why, fix: "Make sure that a worker leads, which repairs it, and stop the other writer." };
}

function versionProblem(
  { metadata }: Secret,
  spc: SecretProviderClass,
  { name, data }: SecretStatus,
  files: readonly ObjectFile[],
): SecretProblem | undefined {
  const written = data.filter(({ version }) => version !== undefined);
  const made = new Set((metadata.annotations?.[SECRET_ANNOTATIONS.objects] ?? "").split(","));
  const other = written.find(({ object, version }) => object !== undefined && !made.has(`${object}@${version}`));
  if (other !== undefined) {
    const why = `does not contain ${other.object ?? ""} version ${other.version ?? ""}, which the status names for ${other.key}`;
    const fix = "Make sure that a worker leads, and set the class's annotation keyvault-injector.dev/refresh to fetch it.";
    return { leaf: "secret-differs", why, fix };
  }
  const entries = secretObjectsOf(spc).find(({ secretName }) => secretName === name)?.data ?? [];
  const behind = written.find(({ key, object, version }) => {
    const entry = entries.findLast((candidate) => dataKeyOf(candidate) === key);
    const paths = entry === undefined ? [] : filesOfEntry(entry);
    // Of several files with the same path, the last one counts, as on a mount.
    const made = paths.map((path) => files.findLast((file) => file.path === path)).filter((file) => file?.objectId === object);
    return made.length > 0 && made.every((file) => file?.version !== version);
  });
  if (behind === undefined) return undefined;
  const why = `has version ${behind.version ?? ""} of ${behind.object ?? ""} under ${behind.key}, but the vault has a newer one`;
  const fix = "Wait for the next poll, or set the class's annotation keyvault-injector.dev/refresh to fetch it now.";
  return { leaf: "secret-behind", why, fix };
}
