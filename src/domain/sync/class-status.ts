import jsonpatch from "fast-json-patch";
import { formatDuration } from "../duration.ts";
import type { SyncReason } from "../reasons.ts";
import { readiness } from "./readiness.ts";
import type {
  AnyCondition,
  ClassStatus,
  Condition,
  CopyStatus,
  KeyStatus,
  ObjectStatus,
  ReadinessCondition,
  Said,
  SecretStatus,
  SyncCondition,
  Told,
} from "./status-fields.ts";
import { fittingSecrets, shortText } from "./status-size.ts";
import { rfc3339, storedTime } from "./stored-time.ts";

/** What one reconcile found out. */
export interface ClassOutcome {
  readonly generation: number;
  readonly reason: SyncReason;
  readonly message: string;
  /** The vault answered for every object; undefined: it is not asked at the moment. */
  readonly isFresh: boolean | undefined;
  /** Why it did not, where that is not the reason of the whole. */
  readonly notFresh?: Told | undefined;
  readonly secrets: readonly SecretStatus[];
  /** As of {@link ClassStatus}. */
  readonly objects?: readonly ObjectStatus[] | undefined;
  /** Unix milliseconds of the last check that succeeded; undefined: none that this process knows of. */
  readonly lastSuccess?: number | undefined;
  /** Milliseconds after `lastSuccess` from which on the class is stale. */
  readonly maxStale?: number | undefined;
  readonly refresh?: string | undefined;
  /** Generation of the class by now, where it was edited or made anew meanwhile: whether it is ready, its own look says. */
  readonly newer?: number | undefined;
  /** Nobody writes copies of the Secrets, so that nothing can be said of them. */
  readonly isWithoutCopies?: boolean;
  /** What is known of the policies that limit the worker; absent where nobody looked. */
  readonly guardrails?: { readonly problem: string | undefined };
}

const HOUR_MS = 3_600_000;

/** Equal to no hash. */
const UNKNOWN_SPEC = "unknown";

/** Enough for a time or a commit. */
export const REFRESH_CHARACTERS = 256;

/** Next status, or undefined where the stored one already says so. */
export function nextStatus(outcome: ClassOutcome, stored: ClassStatus | undefined, now: number): ClassStatus | undefined {
  const { generation: observedClassGeneration, refresh, reason, message, objects } = outcome;
  const context = { stored, time: rfc3339(now) };
  const secrets = withSince(outcome.secrets, stored?.secrets ?? [], context.time);
  const conditions = [
    ...syncedConditions({ status: syncedStatus(reason), reason, message }, secrets, {
      ...context,
      observedClassGeneration,
      newer: outcome.newer,
    }),
    condition({ type: "Fresh", ...freshness(outcome, now) }, context),
    ...guarded(outcome, context),
    // Kept by whoever restarts the workloads.
    ...(stored?.conditions ?? []).filter(({ type }) => type === "Rotated"),
  ];
  const checked = checkTime(outcome, stored, now);
  const next: ClassStatus = {
    observedClassGeneration,
    conditions,
    ...(checked === undefined ? {} : { lastSuccessfulCheckTime: checked }),
    ...(refresh === undefined ? {} : { observedRefresh: refresh.slice(0, REFRESH_CHARACTERS) }),
    ...countsOf(secrets),
    secrets: fittingSecrets(secrets.map((secret) => ofOlderSpec(secret, outcome, stored))),
    ...(objects === undefined ? {} : { objects }),
    // Kept by whoever writes the copies.
    ...(stored?.copies === undefined || outcome.isWithoutCopies === true ? {} : { copies: stored.copies }),
  };
  if (stored !== undefined && isSaid(next, stored)) return undefined;
  return outcome.isFresh === true ? { ...next, lastSuccessfulCheckTime: rfc3339(outcome.lastSuccess ?? now) } : next;
}

/** How many Secrets there are to be, and how many of them are as they should be. */
export function countsOf(secrets: readonly SecretStatus[]): Pick<ClassStatus, "syncedSecrets" | "desiredSecrets"> {
  return { syncedSecrets: secrets.filter(({ state }) => state === "Synced").length, desiredSecrets: secrets.length };
}

/** Without a hash the generation says what the Secret was written from, and that is about to be overwritten. */
function ofOlderSpec(secret: SecretStatus, { generation }: ClassOutcome, stored: ClassStatus | undefined): SecretStatus {
  const isHeld = secret.specHash === undefined && secret.data.some(({ version }) => version !== undefined);
  if (!isHeld || stored === undefined || stored.observedClassGeneration === generation) return secret;
  return { ...secret, specHash: UNKNOWN_SPEC };
}

/** The first hashes come with the next write that there is: an upgrade alone writes nothing. */
function isSaid(next: ClassStatus, stored: ClassStatus): boolean {
  const secrets = next.secrets.map((secret, index) => (stored.secrets[index]?.specHash === undefined ? withoutHash(secret) : secret));
  // The API server returns fields in its own order.
  return isSame({ ...next, secrets }, stored);
}

/** As JSON, in which members have no order. */
function isSame(one: object, other: object): boolean {
  return jsonpatch.compare(one, other).length === 0;
}

function withoutHash(secret: SecretStatus): SecretStatus {
  const { specHash: _, ...said } = secret;
  return said;
}

/** Of a class that is switched off nobody knows. */
function syncedStatus(reason: SyncReason): Condition["status"] {
  if (reason === "SwitchedOff") return "Unknown";
  return reason === "Synced" ? "True" : "False";
}

/** Told only once something was wrong: that all is well is the rule. */
function guarded({ guardrails }: ClassOutcome, context: ConditionContext): readonly Condition[] {
  const before = conditionOf(context.stored, "Guarded");
  if (guardrails === undefined) return before === undefined ? [] : [before];
  const { problem } = guardrails;
  if (problem !== undefined)
    return [condition({ type: "Guarded", status: "False", reason: "GuardrailsMissing", message: problem }, context)];
  if (before === undefined) return [];
  return [condition({ type: "Guarded", status: "True", reason: "Synced", message: "the policies deny what they forbid" }, context)];
}

/** While checks fail the time is exact, so that nobody has to guess since when; at rest, when it alone would be written, it is coarse. */
function checkTime({ isFresh, lastSuccess, maxStale }: ClassOutcome, stored: ClassStatus | undefined, now: number): string | undefined {
  const last = storedTime(stored?.lastSuccessfulCheckTime, now);
  if (isFresh !== true) return timeOf(lastSuccess ?? last);
  // Not the moment of writing: what was checked since may be younger than what was checked then.
  return timeOf(isCheckTimeDue(stored, { maxStale, now }) ? (lastSuccess ?? now) : last);
}

/** Whether a check that succeeds writes its time. Who asks for less than hours is not told of an age that is only that of the last write. */
export function isCheckTimeDue(
  stored: ClassStatus | undefined,
  { maxStale = Number.POSITIVE_INFINITY, now }: { readonly maxStale?: number | undefined; readonly now: number },
): boolean {
  const last = storedTime(stored?.lastSuccessfulCheckTime, now);
  return last === undefined || now - last >= Math.min(HOUR_MS, maxStale / 2);
}

function timeOf(time: number | undefined): string | undefined {
  return time === undefined ? undefined : rfc3339(time);
}

function freshness(outcome: ClassOutcome, now: number): Said {
  if (outcome.isFresh) return { status: "True", reason: "Synced", message: "the vault answered at the last check" };
  if (outcome.isFresh === undefined) {
    const reason = outcome.reason === "SwitchedOff" ? "SwitchedOff" : "Synced";
    return { status: "Unknown", reason, message: "the worker does not query the vault at the moment" };
  }
  const { reason, message } = outcome.notFresh ?? outcome;
  const { lastSuccess, maxStale } = outcome;
  if (!isStale(outcome, now) || lastSuccess === undefined || maxStale === undefined) return { status: "False", reason, message };
  return { status: "False", reason: "Stale", message: staleMessage(lastSuccess, maxStale, `${reason}: ${message}`) };
}

export function isStale({ lastSuccess, maxStale }: Pick<ClassOutcome, "lastSuccess" | "maxStale">, now: number): boolean {
  return lastSuccess !== undefined && maxStale !== undefined && now - lastSuccess > maxStale;
}

export function staleMessage(lastSuccess: number, maxStale: number, why: string): string {
  return `no successful check since ${rfc3339(lastSuccess)}, which is longer than ${formatDuration(maxStale)}; ${why}`;
}

/** The stored status of a class that nobody could look at: everything but one condition is as it was. */
export function withCondition(stored: ClassStatus, changed: Said & { readonly type: "Fresh" }, now: number): ClassStatus {
  const next = condition(changed, { stored, time: rfc3339(now) });
  return { ...stored, conditions: stored.conditions.map((old) => (old.type === next.type ? next : old)) };
}

/** The same where it is the word for all Secrets that changes; `time` is RFC 3339. `newer`: as of {@link ClassOutcome}. */
export function withSynced(
  stored: ClassStatus,
  synced: Said,
  { time, newer }: { readonly time: string; readonly newer?: number | undefined },
): ClassStatus {
  const { observedClassGeneration, secrets } = stored;
  const others = stored.conditions.filter(({ type }) => !SYNCED_TYPES.has(type));
  return { ...stored, conditions: [...syncedConditions(synced, secrets, { stored, time, observedClassGeneration, newer }), ...others] };
}

/** The stored status with how the copies of the class's Secrets stand; undefined where it says so already. */
export function withCopies(stored: ClassStatus, copies: readonly CopyStatus[]): ClassStatus | undefined {
  if (isSame(stored.copies ?? [], copies)) return undefined;
  const { copies: _, ...others } = stored;
  return copies.length === 0 ? others : { ...others, copies };
}

/** The stored status of a class that was edited, while nobody knows yet what that makes of it. What it was about before stays. */
export function withProgress(stored: ClassStatus, generation: number, now: number): ClassStatus {
  const context = { stored, time: rfc3339(now), observedClassGeneration: stored.observedClassGeneration };
  const others = stored.conditions.filter(({ type }) => type === "Synced" || !SYNCED_TYPES.has(type));
  return { ...stored, conditions: [...progressConditions(generation, context), ...others] };
}

function progressConditions(generation: number, context: AnswerContext): readonly Condition[] {
  const { observedClassGeneration: before } = context;
  const message =
    generation === before
      ? "the class is being reconciled; the rest of this status describes its previous state"
      : `generation ${generation} of the class is being reconciled; the rest of this status describes generation ${before}`;
  const said = { reason: "Progressing", message } as const;
  return [
    condition({ type: "Ready", status: "Unknown", ...said }, context),
    condition({ type: "Reconciling", status: "True", ...said }, context),
  ];
}

/** `Synced`, and the conditions that say the same in the words that every tool knows. */
const SYNCED_TYPES: ReadonlySet<string> = new Set(["Ready", "Reconciling", "Stalled", "Synced"]);

interface AnswerContext extends ConditionContext {
  /** That the answer is about. */
  readonly observedClassGeneration: number;
  readonly newer?: number | undefined;
}

function syncedConditions(synced: Said, secrets: readonly SecretStatus[], context: AnswerContext): readonly Condition[] {
  const ready =
    context.newer === undefined
      ? readiness(synced, secrets).map(({ type, status }) => condition({ ...synced, type, status }, context))
      : progressConditions(context.newer, context);
  return [...ready, condition({ ...synced, type: "Synced" }, context)];
}

interface ConditionContext {
  readonly stored: ClassStatus | undefined;
  readonly time: string;
}

function condition<C extends Omit<ReadinessCondition | SyncCondition, "lastTransitionTime">>(
  said: C,
  { stored, time }: ConditionContext,
): C & Pick<AnyCondition, "lastTransitionTime"> {
  const before = stored?.conditions.find(({ type }) => type === said.type);
  const lastTransitionTime = before?.status === said.status ? before.lastTransitionTime : time;
  return { ...said, message: shortText(said.message), lastTransitionTime };
}

export function conditionOf<T extends (ReadinessCondition | SyncCondition)["type"]>(
  status: Pick<ClassStatus, "conditions"> | undefined,
  type: T,
): (T extends SyncCondition["type"] ? SyncCondition : ReadinessCondition) | undefined {
  const found = status?.conditions.find((candidate) => candidate.type === type);
  return found as (T extends SyncCondition["type"] ? SyncCondition : ReadinessCondition) | undefined; // By its type.
}

/**
 * The Secrets with the time since when each key has its version: `time` (RFC 3339) where the stored status has another version under the
 * key, else what is stored. Without a version before it there is no time: the Secret's own creation says that, and a status that
 * was lost and is written again must not make old versions new.
 */
function withSince(secrets: readonly SecretStatus[], stored: readonly SecretStatus[], time: string): readonly SecretStatus[] {
  const before = new Map(stored.map(({ name, data }) => [name, data]));
  return secrets.map((secret) => {
    const keys = Map.groupBy(before.get(secret.name) ?? [], ({ key }) => key);
    return { ...secret, data: secret.data.map((key) => keyWithSince(key, keyBefore(key, keys.get(key.key)), time)) };
  });
}

/** Of a key that is made from several objects the one of the same object, in the same version if there is one; the last one where it was made from others. */
function keyBefore({ object, version }: KeyStatus, before: readonly KeyStatus[] = []): KeyStatus | undefined {
  const ofObject = before.filter((key) => key.object === object);
  return ofObject.findLast((key) => key.version === version) ?? ofObject.at(-1) ?? before.at(-1);
}

function keyWithSince(key: KeyStatus, before: KeyStatus | undefined, time: string): KeyStatus {
  const { since: _, ...said } = key;
  if (before?.version === undefined || key.version === undefined) return said;
  const isSame = before.version === key.version && before.object === key.object;
  const since = isSame ? before.since : time;
  return since === undefined ? said : { ...said, since };
}
