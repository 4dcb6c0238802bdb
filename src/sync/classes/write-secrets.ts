import { KubeError } from "../../domain/ports/kube-error.ts";
import type { SyncReason } from "../../domain/reasons.ts";
import type { KeyStatus, SecretStatus } from "../../domain/sync/class-status.ts";
import { type FetchTrigger, isAsWritten } from "../../domain/sync/fetch-trigger.ts";
import { heldKeys, heldSecrets } from "../../domain/sync/key-status.ts";
import { secretObjectsOf } from "../../domain/sync/named-secrets.ts";
import type { ObservedSecret } from "../../domain/sync/observed-secret.ts";
import type { SyncMetrics } from "../metrics.ts";
import type { SecretWriter } from "../secrets/secret-writer.ts";
import type { Mirror, MirroredSecret } from "../vault/mirror.ts";
import type { ClassStates } from "./class-states.ts";
import { type ClassCaches, observeSecret } from "./observe.ts";
import type { Mirrored } from "./plan-fetch.ts";
import { specHashes } from "./spec-hash.ts";
import { isContestedUntil, isRepair } from "./state.ts";
import { type Teller, tell } from "./tell.ts";

/** Secrets of one class that are written at a time: each waits for the API server, not for the others. */
const WRITES_AT_A_TIME = 4;

/** What Secrets are written through. */
export interface WritePorts {
  readonly caches: ClassCaches;
  readonly states: ClassStates;
  readonly secretWriter: SecretWriter;
  readonly teller: Teller;
  readonly repairs: SyncMetrics["driftRepairs"];
  readonly now: () => number;
}

/** Why the vault was asked, and for which class. */
export interface Written extends Pick<Mirrored, "key" | "spc"> {
  readonly trigger: FetchTrigger;
}

/** Writes the Secrets of a class, where something differs, and says how each stands then. */
export async function writeSecrets(
  ports: WritePorts,
  written: Written,
  answer: Mirror,
  signal: AbortSignal,
): Promise<readonly SecretStatus[]> {
  if (answer.kind === "refused") {
    // While the vault gives no answer, the status keeps saying what the Secrets hold.
    const names = secretObjectsOf(written.spc).map(({ secretName }) => secretName);
    return heldSecrets(names, storedSecrets(ports, written), answer.reason);
  }
  const statuses: SecretStatus[] = [];
  for (let index = 0; index < answer.secrets.length; index += WRITES_AT_A_TIME) {
    const some = answer.secrets.slice(index, index + WRITES_AT_A_TIME);
    const writes = some.map((entry) => writeOne(ports, written, entry, signal));
    // Nothing is left under way when one of them fails.
    await Promise.allSettled(writes);
    statuses.push(...(await Promise.all(writes)));
  }
  return statuses;
}

function storedSecrets({ caches }: WritePorts, { spc }: Written): readonly SecretStatus[] {
  const { namespace = "", name } = spc.metadata;
  return caches.statuses.get({ namespace, name })?.secrets ?? [];
}

async function writeOne(ports: WritePorts, written: Written, entry: MirroredSecret, signal: AbortSignal): Promise<SecretStatus> {
  if (entry.kind === "unchanged") return writtenStatus(ports, written, entry.name, entry.keys);
  const failed = failedStatus(ports, written, entry);
  if (entry.kind === "failed") return failed({ name: entry.name, state: entry.reason, message: entry.message });
  const { name } = entry.secret;
  const facts = observeSecret(ports.caches, written.spc, name);
  try {
    const result = await ports.secretWriter.write({ ...facts, secret: entry.secret }, signal);
    if (result.kind === "refused") return failed({ name, state: result.reason, message: result.message });
    if (result.kind === "written" && result.action === "replace") {
      const message = `Secret ${name} was deleted and made anew, without what others had added to it: ${result.why}`;
      tell(ports.teller, written.spc, { kind: "secret", reason: "SecretReplaced", message });
    } else if (result.kind === "written" && isRepair(written.trigger) && isDamaged(written, name, facts.observed))
      noteRepair(ports, written, name, facts.observed);
    return writtenStatus(ports, written, name, entry.keys);
  } catch (error) {
    const state = refusalOf(error);
    if (state === undefined) throw error;
    return failed({ name, state, message: error instanceof Error ? error.message : "" });
  }
}

/** A Secret that somebody damages after each repair is as it should be for moments only. */
function writtenStatus({ states, now }: WritePorts, { key, spc }: Written, name: string, data: readonly KeyStatus[]): SecretStatus {
  const specHash = specHashes(spc).get(name);
  const written = { ...(specHash === undefined ? {} : { specHash }), data };
  const state = states.get(key);
  const who = state?.contenders.get(name);
  if (state === undefined || who === undefined || isContestedUntil(state, now()) === undefined)
    return { name, state: "Synced", ...written };
  // Stable while the fight lasts, so that it is told once.
  const message = `Secret ${name} is changed or deleted after each repair, last by ${who}; repairs pause for up to a minute. Stop the other writer, or choose another secretName`;
  return { name, state: "Contested", message, ...written };
}

/** What was there stays, and the status goes on saying what that is. */
function failedStatus(ports: WritePorts, written: Written, entry: MirroredSecret) {
  return (told: Pick<SecretStatus, "name" | "state" | "message">): SecretStatus => {
    // What a Secret of somebody else holds is not ours to say.
    if (entry.kind !== "failed" && told.state === "Conflict") return { ...told, data: [] };
    const { data = [], specHash } = storedSecrets(ports, written).find(({ name }) => name === told.name) ?? {};
    const held = { ...told, ...(specHash === undefined ? {} : { specHash }) };
    return { ...held, data: entry.kind === "failed" ? heldKeys(entry.keys, data) : data };
  };
}

function isDamaged({ spc }: Written, name: string, observed: ObservedSecret | undefined): boolean {
  const secretObject = secretObjectsOf(spc).find(({ secretName }) => secretName === name);
  return secretObject !== undefined && !isAsWritten(spc.metadata.name, secretObject, observed);
}

/** Says who damaged a Secret, as far as the API server knows, and remembers it in case of a fight. */
function noteRepair(ports: WritePorts, { key, spc }: Written, name: string, observed: ObservedSecret | undefined): void {
  ports.repairs.inc({ damage: observed === undefined ? "deleted" : "edited" });
  const writer = observed?.lastForeign;
  ports.states.note(key, { kind: "repaired", name, by: writer?.manager ?? "somebody" });
  const at = writer?.time === undefined ? "" : ` at ${writer.time}`;
  const byWhom = writer === undefined ? " (by whom the API server does not record)" : ` (last written by ${writer.manager}${at})`;
  const message =
    observed === undefined
      ? `Secret ${name} was deleted; who did it stands in the API server's audit log alone. It is there again`
      : `Secret ${name} was edited${byWhom}; it is again as the class and the vault want it`;
  tell(ports.teller, spc, { kind: "secret", reason: "SecretRepaired", message });
}

/** What the API server says no to for good; everything else is tried again by the queue. */
function refusalOf(error: unknown): SyncReason | undefined {
  if (!(error instanceof KubeError)) return undefined;
  if (error.code === "Invalid") return "InvalidObject";
  if (error.code === "TooLarge") return "TooLarge";
  return error.code === "Forbidden" ? "Forbidden" : undefined;
}
