import { CLASS_ANNOTATIONS, SECRET_ANNOTATIONS } from "../../domain/annotations.ts";
import type { SecretProviderClass } from "../../domain/kubernetes.ts";
import { keyOf, refOf } from "../../domain/object-key.ts";
import type { SecretStatus } from "../../domain/sync/class-status.ts";
import { type FetchNeed, isAsWritten } from "../../domain/sync/fetch-need.ts";
import { secretObjectsOf } from "../../domain/sync/named-secrets.ts";
import { storedTime } from "../../domain/sync/stored-time.ts";
import type { ClassMemory } from "../classes/class-memory.ts";
import { specHashes } from "../classes/spec-hash.ts";
import type { WorkerContext } from "../worker-context.ts";
import { RECENT_MS } from "./recent-secrets.ts";
import type { Question } from "./vault-question.ts";

/** Classes that are applied together and name the same object take one answer (milliseconds). */
const FIRST_SHARED_MS = 1_000;

/** Without a look at the Secrets every poll writes them all, so every poll needs all values; those that others have just got will do. */
const BLIND_SHARED_MS = 10_000;

const CHECKS: readonly FetchNeed[] = ["PollDue", "RetryDue"];
const REPAIRS: readonly FetchNeed[] = ["SecretMissing", "SecretEdited", "ContestOver"];
const FIRST: readonly FetchNeed[] = ["NeverSynced", "UseBegan"];

export interface Asking {
  readonly provider: SecretProviderClass;
  readonly memory: ClassMemory;
  readonly need: FetchNeed;
  /** Milliseconds. */
  readonly interval: number;
  readonly isPollDue: boolean;
}

/** What the vault is asked, by why it is asked: as little as answers that. */
export function questionOf(context: WorkerContext, asking: Asking): Question {
  const { memory, need, interval } = asking;
  const now = context.clock.now();
  // A repair that takes the place of a poll asks for what changed, which the damaged Secrets are a part of.
  const isPoll = need === "PollDue" || (asking.isPollDue && REPAIRS.includes(need));
  const timing = {
    due: dueOf({ ...asking, isPollDue: isPoll }, now),
    interval,
    period: memory.interval,
    credentialsMs: memory.failures > 0 ? 0 : credentialsMs(need),
  };
  if (isRefreshOpen(asking)) return { kind: "everything", ...timing, sharedMs: 0 };
  const isCheck = isPoll || CHECKS.includes(need);
  if (context.blind !== undefined) return { kind: "everything", ...timing, sharedMs: isCheck ? BLIND_SHARED_MS : 0 };
  if (!isCheck && !REPAIRS.includes(need)) return { kind: "everything", ...timing, sharedMs: FIRST.includes(need) ? FIRST_SHARED_MS : 0 };
  return { kind: isCheck ? "changes" : "repair", ...timing, ...storedFacts(context, asking) };
}

/** No answer has come since somebody asked for one: whatever the class comes for, what was known before is none. */
function isRefreshOpen({ provider, memory, need }: Asking): boolean {
  return need !== "NeverSynced" && provider.metadata.annotations?.[CLASS_ANNOTATIONS.refresh] !== memory.lastRefresh;
}

function dueOf({ memory, need, interval, isPollDue }: Asking, now: number): number {
  if (isPollDue) return Math.min(now, memory.nextPoll);
  // What a repair got does not stand for the poll after it: by then the object may have changed again.
  return REPAIRS.includes(need) ? Math.min(now, memory.nextPoll - interval) : now;
}

function storedFacts(context: WorkerContext, { provider }: Asking) {
  const status = context.statuses.get(refOf(provider));
  const stored = status?.secrets ?? [];
  return {
    intact: intactSecrets(context, provider, stored),
    stored,
    checked: storedTime(status?.lastSuccessfulCheckTime, context.clock.now()),
  };
}

/** Many classes of a namespace come together. After a failure the credentials may be what was mended: then none of this counts. */
function credentialsMs(need: FetchNeed): number {
  if (need === "PollDue" || REPAIRS.includes(need)) return RECENT_MS;
  return FIRST.includes(need) ? FIRST_SHARED_MS : 0;
}

/** Those that are there as they were written, from what the class has now and the objects that the status tells. */
function intactSecrets(context: WorkerContext, provider: SecretProviderClass, stored: readonly SecretStatus[]): ReadonlySet<string> {
  const observed = new Map(context.secrets.ofClass(keyOf(provider)).map((secret) => [secret.ref.name, secret]));
  const told = new Map(stored.map((secret) => [secret.name, { objects: objectsOf(secret), specHash: secret.specHash }]));
  const hashes = specHashes(provider);
  const intact = secretObjectsOf(provider).filter((secretObject) => {
    const secret = observed.get(secretObject.secretName);
    const { objects, specHash } = told.get(secretObject.secretName) ?? {};
    const isTold = secret?.annotations[SECRET_ANNOTATIONS.objects] === objects;
    const isSameSpec = specHash === undefined || specHash === hashes.get(secretObject.secretName);
    return isTold && isSameSpec && isAsWritten(provider.metadata.name, secretObject, secret);
  });
  return new Set(intact.map(({ secretName }) => secretName));
}

/** As the Secret's annotation has them. */
function objectsOf({ data }: SecretStatus): string {
  return [...new Set(data.map(({ object = "", version = "" }) => `${object}@${version}`))].sort().join(",");
}
