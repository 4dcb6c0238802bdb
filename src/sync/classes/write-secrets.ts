import type { Clock } from "../../domain/ports/clock.ts";
import type { KubeError, KubeErrorCode } from "../../domain/ports/kube-error.ts";
import type { Retry } from "../../domain/ports/retry.ts";
import type { SyncReason } from "../../domain/reasons.ts";
import { type FetchTrigger, isAsWritten } from "../../domain/sync/fetch-trigger.ts";
import { heldKeys, heldSecrets } from "../../domain/sync/key-status.ts";
import { secretObjectsOf } from "../../domain/sync/named-secrets.ts";
import type { ObservedSecret } from "../../domain/sync/observed-secret.ts";
import type { KeyStatus, SecretStatus } from "../../domain/sync/status-fields.ts";
import type { SyncMetrics } from "../metrics.ts";
import { isRefusal } from "../refusals.ts";
import type { SecretWriter } from "../secrets/secret-writer.ts";
import type { WriteResult } from "../secrets/write-secret.ts";
import type { Mirror, MirroredSecret } from "../vault/mirror.ts";
import type { ClassStates } from "./class-states.ts";
import { type ClassCaches, observeSecret } from "./observe.ts";
import type { Mirrored } from "./plan-fetch.ts";
import { type Reporter, report } from "./report.ts";
import { specHashes } from "./spec-hash.ts";
import { isContestedUntil, isRepair } from "./state.ts";

/** Number of Secrets of one class that are written concurrently. Each write waits for the API server, not for the other writes. */
const WRITES_AT_A_TIME = 4;

/** Dependencies of the writes of Secrets. */
export interface WritePorts {
  readonly caches: ClassCaches;
  readonly states: ClassStates;
  readonly secretWriter: SecretWriter;
  readonly reporter: Reporter;
  readonly repairs: SyncMetrics["driftRepairs"];
  readonly clock: Clock;
}

/** The class, and the reason for the query to the vault. */
export interface Written extends Pick<Mirrored, "key" | "spc"> {
  readonly trigger: FetchTrigger;
}

/** Status of the class's Secrets after their writes. */
export interface WrittenSecrets {
  readonly secrets: readonly SecretStatus[];
  /** When to retry the writes that the API server refused; undefined if it refused none. */
  readonly retry: Retry | undefined;
}

/** Writes the Secrets of a class that differ. A Secret that cannot be written does not delay the others. */
export async function writeSecrets(ports: WritePorts, written: Written, answer: Mirror, signal: AbortSignal): Promise<WrittenSecrets> {
  if (answer.kind === "refused") {
    // While the vault gives no answer, the status continues to report the content of the Secrets.
    const names = secretObjectsOf(written.spc).map(({ secretName }) => secretName);
    return { secrets: heldSecrets(names, storedSecrets(ports, written), answer.reason), retry: undefined };
  }
  const course: Course = { isInVain: false, silence: undefined };
  const outcomes: WriteOutcome[] = [];
  for (let index = 0; index < answer.secrets.length; index += WRITES_AT_A_TIME) {
    const some = answer.secrets.slice(index, index + WRITES_AT_A_TIME);
    const writes = some.map((entry) => writeOne(ports, { ...written, course }, entry, signal));
    // No write may still be in progress if the reconcile ends here.
    await Promise.allSettled(writes);
    const ended = await Promise.all(writes);
    outcomes.push(...ended);
    const errors = ended.map(({ error }) => error);
    if (errors.every((error) => error !== undefined && isSilence(error))) [course.silence] = errors;
  }
  return { secrets: outcomes.map(({ status }) => status), retry: retryOf(outcomes) };
}

function storedSecrets({ caches }: WritePorts, { spc }: Written): readonly SecretStatus[] {
  const { namespace = "", name } = spc.metadata;
  return caches.statuses.get({ namespace, name })?.secrets ?? [];
}

/** Returns the longest delay that the API server asked for; otherwise a backoff. */
function retryOf(outcomes: readonly WriteOutcome[]): Retry | undefined {
  const errors = outcomes.flatMap(({ error }) => (error === undefined ? [] : [error]));
  if (errors.length === 0) return undefined;
  const asked = errors.flatMap(({ retry }) => (retry.kind === "after" ? [retry.milliseconds] : []));
  return asked.length === 0 ? { kind: "backoff" } : { kind: "after", milliseconds: Math.max(...asked) };
}

/** State that the writes of one class share. */
interface Course {
  /** Whether a Secret has used up its immediate attempts. */
  isInVain: boolean;
  /** Set if the API server does not respond at all: the remaining writes would wait just as long. */
  silence: KubeError | undefined;
}

interface WriteOutcome {
  readonly status: SecretStatus;
  /** Why the Secret was not written; also absent if the vault's answer is the reason. */
  readonly error?: KubeError;
}

async function writeOne(
  ports: WritePorts,
  written: Written & { readonly course: Course },
  entry: MirroredSecret,
  signal: AbortSignal,
): Promise<WriteOutcome> {
  if (entry.kind === "unchanged") return { status: writtenStatus(ports, written, entry.name, entry.keys) };
  const failed = failedStatus(ports, written, entry);
  if (entry.kind === "failed") return { status: failed({ name: entry.name, state: entry.reason, message: entry.message }) };
  const { name } = entry.secret;
  const { result, observed, deleted } = await attempts(ports, written, entry, signal);
  if (deleted !== undefined) {
    const why = result.kind === "error" ? `${deleted}. The API server has not accepted the new one yet` : deleted;
    const message = `Secret ${name} was deleted and recreated without what others had added, because ${why}`;
    report(ports.reporter, written.spc, { kind: "secret", reason: "SecretReplaced", message });
  } else if (result.kind === "written" && isRepair(written.trigger) && isDamaged(written, name, observed))
    noteRepair(ports, written, name, observed);
  if (result.kind === "refused") return { status: failed({ name, state: result.reason, message: result.message }) };
  if (result.kind !== "error") return { status: writtenStatus(ports, written, name, entry.keys) };
  const { error } = result;
  return { status: failed({ name, state: STATES[error.code] ?? "Unreachable", message: error.message }), error };
}

/** Milliseconds before each further attempt with the same values. For an attempt by the queue, the vault would have to return the values again. */
const SOON_AGAIN_MS = [250, 750];

/** If the API server takes longer to answer (milliseconds), there is no further immediate attempt. */
const PROMPT_MS = 2_000;

interface Attempts {
  readonly result: Exclude<WriteResult, { readonly kind: "deleted" }> | { readonly kind: "error"; readonly error: KubeError };
  /** The Secret before the last attempt. */
  readonly observed: ObservedSecret | undefined;
  /** Why the worker deleted the Secret to recreate it; undefined if it did not. */
  readonly deleted: string | undefined;
}

/** Writes a Secret in several attempts. Each attempt starts from the Secret as it is then, because someone else may have written it meanwhile. */
async function attempts(
  ports: WritePorts,
  { spc, course }: Written & { readonly course: Course },
  { secret }: Extract<MirroredSecret, { readonly kind: "desired" }>,
  signal: AbortSignal,
): Promise<Attempts> {
  const { caches, clock, secretWriter } = ports;
  let deleted: string | undefined;
  for (let attempt = 0; ; attempt += 1) {
    const facts = observeSecret(caches, spc, secret.name);
    const { observed } = facts;
    if (course.silence !== undefined) return { result: { kind: "error", error: course.silence }, observed, deleted };
    const began = clock.now();
    const result = await secretWriter.write({ ...facts, secret }, signal).catch((error: unknown) => asRefusal(error, signal));
    if (result.kind === "deleted" || (result.kind === "written" && result.action === "replace")) deleted = result.why;
    const ended: Attempts["result"] = result.kind === "deleted" ? asRefusal(result.error, signal) : result;
    if (ended.kind !== "error") return { result: ended, observed, deleted };
    const wait = SOON_AGAIN_MS[attempt];
    const mayPass = ended.error.retry.kind === "backoff" && PASSING.has(ended.error.code) && clock.now() - began < PROMPT_MS;
    if (!mayPass || course.isInVain || wait === undefined) {
      course.isInVain ||= mayPass;
      return { result: ended, observed, deleted };
    }
    await clock.sleep(wait, signal);
  }
}

/**
 * Rethrows errors that end the reconcile: a stop, another leader, a namespace that is being deleted, and errors other than a refusal by the
 * API server.
 */
function asRefusal(error: unknown, signal: AbortSignal): { readonly kind: "error"; readonly error: KubeError } {
  if (signal.aborted || !isRefusal(error) || error.code === "Terminating") throw error;
  return { kind: "error", error };
}

function isSilence({ code, status }: KubeError): boolean {
  return code === "Unavailable" && status === undefined;
}

/** Errors that may be over in a moment: the live copy is behind, someone else is writing, or the API server fails briefly. */
const PASSING: ReadonlySet<KubeErrorCode> = new Set(["Unavailable", "Conflict", "AlreadyExists", "NotFound", "Gone"]);

/** Status reason by error code. All other codes count as no usable answer. */
const STATES: Readonly<Partial<Record<KubeErrorCode, SyncReason>>> = {
  Invalid: "InvalidObject",
  TooLarge: "TooLarge",
  Forbidden: "Forbidden",
  Throttled: "Throttled",
};

/**
 * Returns the status of a Secret that was written. If someone damages it after each repair, it is correct only for moments, and counts as
 * contested.
 */
function writtenStatus({ states, clock }: WritePorts, { key, spc }: Written, name: string, data: readonly KeyStatus[]): SecretStatus {
  const specHash = specHashes(spc).get(name);
  const written = { ...(specHash === undefined ? {} : { specHash }), data };
  const state = states.get(key);
  const who = state?.contenders.get(name);
  if (state === undefined || who === undefined || isContestedUntil(state, clock.now()) === undefined)
    return { name, state: "Synced", ...written };
  // The message stays the same while the conflict lasts, so that it is reported once.
  const message = `Secret ${name} is changed or deleted after each repair, last by ${who}; repairs pause for up to a minute. Stop the other writer, or choose another secretName`;
  return { name, state: "Contested", message, ...written };
}

/** Returns a function that makes the status of a Secret that was not written. The Secret keeps its content, and the status continues to report it. */
function failedStatus(ports: WritePorts, written: Written, entry: MirroredSecret) {
  return (reported: Pick<SecretStatus, "name" | "state" | "message">): SecretStatus => {
    // The status does not report the content of a Secret that belongs to someone else.
    if (entry.kind !== "failed" && reported.state === "Conflict") return { ...reported, data: [] };
    const { data = [], specHash } = storedSecrets(ports, written).find(({ name }) => name === reported.name) ?? {};
    const held = { ...reported, ...(specHash === undefined ? {} : { specHash }) };
    return { ...held, data: entry.kind === "failed" ? heldKeys(entry.keys, data) : data };
  };
}

function isDamaged({ spc }: Written, name: string, observed: ObservedSecret | undefined): boolean {
  const secretObject = secretObjectsOf(spc).find(({ secretName }) => secretName === name);
  return secretObject !== undefined && !isAsWritten(spc.metadata.name, secretObject, observed);
}

/** Reports who damaged a Secret, as far as the API server knows, and remembers it in case the Secret becomes contested. */
function noteRepair(ports: WritePorts, { key, spc }: Written, name: string, observed: ObservedSecret | undefined): void {
  ports.repairs.inc({ damage: observed === undefined ? "deleted" : "edited" });
  const writer = observed?.lastForeign;
  ports.states.note(key, { kind: "repaired", name, by: writer?.manager ?? "somebody" });
  const at = writer?.time === undefined ? "" : ` at ${writer.time}`;
  const byWhom = writer === undefined ? " (the API server does not record by whom)" : ` (last written by ${writer.manager}${at})`;
  const message =
    observed === undefined
      ? `Secret ${name} was deleted; the API server's audit log shows by whom. The worker restored it`
      : `Secret ${name} was edited${byWhom}; the worker restored it`;
  report(ports.reporter, spc, { kind: "secret", reason: "SecretRepaired", message });
}
