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
  ReportedReason,
  Said,
  SecretStatus,
  SyncCondition,
} from "./status-fields.ts";
import { fittingSecrets, shortText } from "./status-size.ts";
import { rfc3339, storedTime } from "./stored-time.ts";

/** Result of one reconcile. */
export interface ClassOutcome {
  readonly generation: number;
  readonly reason: SyncReason;
  readonly message: string;
  /** Whether the vault answered for every object; undefined if the worker does not query it at the moment. */
  readonly isFresh: boolean | undefined;
  /** Why the vault did not answer, if that differs from the reason of the whole reconcile. */
  readonly notFresh?: ReportedReason | undefined;
  readonly secrets: readonly SecretStatus[];
  /** As in {@link ClassStatus}. */
  readonly objects?: readonly ObjectStatus[] | undefined;
  /** Unix milliseconds of the last successful check; undefined if this process knows of none. */
  readonly lastSuccess?: number | undefined;
  /** Milliseconds from `lastSuccess` until the class is stale. */
  readonly maxStale?: number | undefined;
  readonly refresh?: string | undefined;
  /**
   * Current generation of the class, if it was edited or recreated during the reconcile. Then only its next reconcile determines whether it
   * is ready.
   */
  readonly newer?: number | undefined;
  /** Whether the worker writes no copies of the Secrets, so that the status cannot report on copies. */
  readonly isWithoutCopies?: boolean;
  /** State of the policies that limit the worker; absent if the worker does not know it. */
  readonly guardrails?: { readonly problem: string | undefined } | undefined;
}

const HOUR_MS = 3_600_000;

/** Differs from every hash. */
const UNKNOWN_SPEC = "unknown";

/** Enough for a time or a commit hash. */
export const REFRESH_CHARACTERS = 256;

/** Returns the next status, or undefined if the stored one already says the same. */
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
    // The restart code maintains this condition.
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
    // The copy code maintains these.
    ...(stored?.copies === undefined || outcome.isWithoutCopies === true ? {} : { copies: stored.copies }),
  };
  if (stored !== undefined && isSaid(next, stored)) return undefined;
  return outcome.isFresh === true ? { ...next, lastSuccessfulCheckTime: rfc3339(outcome.lastSuccess ?? now) } : next;
}

/** Counts the Secrets of the class, and the ones that are up to date. */
export function countsOf(secrets: readonly SecretStatus[]): Pick<ClassStatus, "syncedSecrets" | "desiredSecrets"> {
  return { syncedSecrets: secrets.filter(({ state }) => state === "Synced").length, desiredSecrets: secrets.length };
}

/**
 * Marks a Secret without a hash as written from an older spec: only the stored generation recorded that spec, and the next status
 * overwrites the generation.
 */
function ofOlderSpec(secret: SecretStatus, { generation }: ClassOutcome, stored: ClassStatus | undefined): SecretStatus {
  const isHeld = secret.specHash === undefined && secret.data.some(({ version }) => version !== undefined);
  if (!isHeld || stored === undefined || stored.observedClassGeneration === generation) return secret;
  return { ...secret, specHash: UNKNOWN_SPEC };
}

/**
 * Whether the stored status already says the same. Ignores hashes that the stored status lacks, so that an upgrade alone does not cause a
 * write. The next write adds them.
 */
function isSaid(next: ClassStatus, stored: ClassStatus): boolean {
  const secrets = next.secrets.map((secret, index) => (stored.secrets[index]?.specHash === undefined ? withoutHash(secret) : secret));
  // The API server returns fields in its own order.
  return isSame({ ...next, secrets }, stored);
}

/** Compares as JSON, in which members have no order. */
function isSame(one: object, other: object): boolean {
  return jsonpatch.compare(one, other).length === 0;
}

function withoutHash(secret: SecretStatus): SecretStatus {
  const { specHash: _, ...said } = secret;
  return said;
}

/** Unknown for a class that is switched off, because the worker does not check it. */
function syncedStatus(reason: SyncReason): Condition["status"] {
  if (reason === "SwitchedOff") return "Unknown";
  return reason === "Synced" ? "True" : "False";
}

/** Reports on the policies only after a problem occurred, because no problem is the normal case. */
function guarded({ guardrails }: ClassOutcome, context: ConditionContext): readonly Condition[] {
  const before = conditionOf(context.stored, "Guarded");
  if (guardrails === undefined) return before === undefined ? [] : [before];
  const { problem } = guardrails;
  if (problem !== undefined)
    return [condition({ type: "Guarded", status: "False", reason: "GuardrailsMissing", message: problem }, context)];
  if (before === undefined) return [];
  return [condition({ type: "Guarded", status: "True", reason: "Synced", message: "the policies deny what they forbid" }, context)];
}

/**
 * While checks fail, returns the exact time of the last success, so that users see since when they fail. While checks succeed, the time is
 * coarse, because it alone would cause a write.
 */
function checkTime({ isFresh, lastSuccess, maxStale }: ClassOutcome, stored: ClassStatus | undefined, now: number): string | undefined {
  const last = storedTime(stored?.lastSuccessfulCheckTime, now);
  if (isFresh !== true) return timeOf(lastSuccess ?? last);
  // The time of the check, not of this write: the check may be older than the write.
  return timeOf(isCheckTimeDue(stored, { maxStale, now }) ? (lastSuccess ?? now) : last);
}

/**
 * Whether a successful check stores its time: at most hourly, or every half `maxStale` if that is shorter. So a class with a short
 * `maxStale` is not reported as stale only because the stored time was not rewritten.
 */
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

/** Returns the stored status with only one condition changed, for a class that the worker could not reconcile. */
export function withCondition(stored: ClassStatus, changed: Said & { readonly type: "Fresh" }, now: number): ClassStatus {
  const next = condition(changed, { stored, time: rfc3339(now) });
  return { ...stored, conditions: stored.conditions.map((old) => (old.type === next.type ? next : old)) };
}

/** Returns the stored status with another result for all Secrets. `time` is RFC 3339. `newer`: as in {@link ClassOutcome}. */
export function withSynced(
  stored: ClassStatus,
  synced: Said,
  { time, newer }: { readonly time: string; readonly newer?: number | undefined },
): ClassStatus {
  const { observedClassGeneration, secrets } = stored;
  const others = stored.conditions.filter(({ type }) => !SYNCED_TYPES.has(type));
  return { ...stored, conditions: [...syncedConditions(synced, secrets, { stored, time, observedClassGeneration, newer }), ...others] };
}

/** Returns the stored status with the states of the copies; undefined if the stored one already has them. */
export function withCopies(stored: ClassStatus, copies: readonly CopyStatus[]): ClassStatus | undefined {
  if (isSame(stored.copies ?? [], copies)) return undefined;
  const { copies: _, ...others } = stored;
  return copies.length === 0 ? others : { ...others, copies };
}

/**
 * Returns the stored status of a class that was edited and that the worker has not reconciled yet. The status keeps the generation that it
 * describes.
 */
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

/** `Synced`, and the conditions that report the same in the terms of generic tools. */
const SYNCED_TYPES: ReadonlySet<string> = new Set(["Ready", "Reconciling", "Stalled", "Synced"]);

interface AnswerContext extends ConditionContext {
  /** Generation that the status describes. */
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
  return found as (T extends SyncCondition["type"] ? SyncCondition : ReadinessCondition) | undefined; // The condition of that type.
}

/**
 * Adds to each key the time since when it has its version: `time` (RFC 3339) if the stored status has another version under the key,
 * otherwise the stored time. A key without an earlier version has no time: its Secret's creation time shows that. Also, a status that was
 * lost and is rewritten must not make old versions look new.
 */
function withSince(secrets: readonly SecretStatus[], stored: readonly SecretStatus[], time: string): readonly SecretStatus[] {
  const before = new Map(stored.map(({ name, data }) => [name, data]));
  return secrets.map((secret) => {
    const keys = Map.groupBy(before.get(secret.name) ?? [], ({ key }) => key);
    return { ...secret, data: secret.data.map((key) => keyWithSince(key, keyBefore(key, keys.get(key.key)), time)) };
  });
}

/**
 * Returns the earlier entry of the key: the one of the same object, in the same version if there is one. If the key was made from other
 * objects, returns the last of them.
 */
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
