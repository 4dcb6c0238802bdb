import type { KubeObject } from "../kubernetes.ts";
import type { SyncReason } from "../reasons.ts";

/** `SecretProviderClassSync`, our status object: one per synced class, same name. */
export interface SecretProviderClassSync extends KubeObject {
  readonly status?: ClassStatus;
}

export interface ClassStatus {
  readonly observedGeneration: number;
  readonly conditions: readonly Condition[];
  /** RFC 3339. Rewritten at most hourly while nothing else changes, so that a poll at rest writes nothing. */
  readonly lastSuccessfulCheckTime?: string;
  /** `1/2`: those that are as they should be, of those that the class names. */
  readonly secretsSynced: string;
  readonly secrets: readonly SecretStatus[];
}

export interface Condition {
  readonly type: "Synced" | "Fresh";
  readonly status: "True" | "False" | "Unknown";
  readonly reason: SyncReason;
  readonly message: string;
  readonly observedGeneration: number;
  readonly lastTransitionTime: string;
}

export interface SecretStatus {
  readonly name: string;
  readonly state: SyncReason;
  readonly message?: string;
  readonly data: readonly KeyStatus[];
}

export interface KeyStatus {
  readonly key: string;
  /** `secret/DemoSecret` */
  readonly object: string;
  readonly version: string;
  readonly updated?: string;
  readonly expires?: string;
}

/** What one reconcile found out. */
export interface ClassOutcome {
  readonly generation: number;
  readonly reason: SyncReason;
  readonly message: string;
  /** The vault answered for every object. */
  readonly isFresh: boolean;
  readonly secrets: readonly SecretStatus[];
}

const HOUR_MS = 3_600_000;

/** Next status, or undefined where the stored one already says so. */
export function nextStatus(outcome: ClassOutcome, stored: ClassStatus | undefined, now: number): ClassStatus | undefined {
  const time = rfc3339(now);
  const isSynced = outcome.reason === "Synced";
  const conditions = [
    condition({ type: "Synced", isTrue: isSynced, outcome, time }, stored),
    condition({ type: "Fresh", isTrue: outcome.isFresh, outcome, time }, stored),
  ];
  const checked = checkTime(outcome, stored, now);
  const next: ClassStatus = {
    observedGeneration: outcome.generation,
    conditions,
    ...(checked === undefined ? {} : { lastSuccessfulCheckTime: checked }),
    secretsSynced: `${outcome.secrets.filter(({ state }) => state === "Synced").length}/${outcome.secrets.length}`,
    secrets: outcome.secrets,
  };
  return stored !== undefined && JSON.stringify(ordered(next)) === JSON.stringify(ordered(stored)) ? undefined : next;
}

function checkTime(outcome: ClassOutcome, stored: ClassStatus | undefined, now: number): string | undefined {
  const last = stored?.lastSuccessfulCheckTime;
  if (!outcome.isFresh) return last;
  return last !== undefined && now - Date.parse(last) < HOUR_MS ? last : rfc3339(now);
}

interface ConditionInput {
  readonly type: Condition["type"];
  readonly isTrue: boolean;
  readonly outcome: ClassOutcome;
  readonly time: string;
}

function condition({ type, isTrue, outcome, time }: ConditionInput, stored: ClassStatus | undefined): Condition {
  const before = stored?.conditions.find((candidate) => candidate.type === type);
  const status = isTrue ? "True" : "False";
  return {
    type,
    status,
    reason: isTrue ? "Synced" : outcome.reason,
    message: isTrue && type === "Fresh" ? "the vault answered at the last check" : outcome.message,
    observedGeneration: outcome.generation,
    lastTransitionTime: before?.status === status ? before.lastTransitionTime : time,
  };
}

/** Kubernetes times have whole seconds. */
function rfc3339(now: number): string {
  return `${new Date(now).toISOString().slice(0, 19)}Z`;
}

/** The API server returns fields in its own order. */
function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, ordered(inner)]),
  );
}
