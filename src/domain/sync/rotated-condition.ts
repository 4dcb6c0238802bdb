import { assertNever } from "../assert-never.ts";
import type { RolloutReason } from "../reasons.ts";
import { type HoldReason, holdWords } from "../rollout/hold.ts";
import type { Judged } from "../rollout/namespace-plan.ts";
import type { Standing } from "../rollout/standing.ts";
import { type Obstacle, titleOf } from "../rollout/workload.ts";
import { shownNames } from "./shown-names.ts";
import type { ClassStatus, RotatedCondition } from "./status-fields.ts";

const MAX_SHOWN = 5;

/** The condition `Rotated` of a class, which reports on the workloads that use the class. */
export interface Rotated {
  readonly status: "True" | "False" | "Unknown";
  readonly reason:
    | Extract<
        RolloutReason,
        | "Rotated"
        | "Restarting"
        | "AwaitingFiles"
        | "RolloutFailed"
        | "Paused"
        | "OnDelete"
        | "Degraded"
        | "Partitioned"
        | "NoVersions"
        | "VersionsUnknown"
      >
    | HoldReason;
  readonly message: string;
}

/** Returns the condition; undefined if there are no users. `users` are in the order of their restart. `haltedBy` may use other classes. */
export function rotatedOf(users: readonly Judged[], haltedBy: Judged | undefined): Rotated | undefined {
  const failed = find(users, "failed");
  if (failed !== undefined) return { status: "False", reason: "RolloutFailed", message: failureOf(failed) };
  const waiting = users.filter(({ standing }) => standing.kind === "due");
  const restarting = find(users, "restarting");
  const [first] = waiting;
  if (haltedBy !== undefined && first !== undefined) {
    const message = `${titleOf(first.workload)} is not restarted: ${failureOf(haltedBy)}`;
    return { status: "False", reason: "RolloutFailed", message };
  }
  if (restarting !== undefined || first !== undefined) {
    const parts = [
      ...names(users, "restarting", "being restarted"),
      ...names(users, "due", "waiting for a restart"),
      ...names(users, "held", "held back"),
    ];
    return { status: "False", reason: "Restarting", message: parts.join("; ") };
  }
  const unawaited = find(users, "unawaited");
  if (unawaited !== undefined) {
    const { workload } = unawaited;
    const message = `${titleOf(workload)}: ${workload.progress.summary}; it was not ready before its restart, so no other workload waits for it`;
    return { status: "False", reason: "Restarting", message };
  }
  const held = find(users, "held");
  if (held !== undefined) return heldCondition(users, held);
  const awaiting = find(users, "awaitingFiles");
  if (awaiting !== undefined) return { status: "False", reason: "AwaitingFiles", message: awaiting.standing.message };
  const obstructed = find(users, "obstructed");
  if (obstructed !== undefined) {
    const { reason } = obstructed.standing;
    return { status: "False", reason, message: `${titleOf(obstructed.workload)} ${BY_HAND[reason]}` };
  }
  const [unknown] = users.flatMap(unknownOf);
  if (unknown !== undefined) return unknown;
  if (users.length === 0) return undefined;
  return {
    status: "True",
    reason: "Rotated",
    message: `the pods of all workloads that request restarts (${users.length}) have these versions`,
  };
}

/**
 * Returns the condition for a workload if the worker cannot determine whether its pods have the versions. It replaces the earlier
 * condition.
 */
function unknownOf({ workload, standing }: Judged): readonly Rotated[] {
  const unknown = (why: string): readonly Rotated[] => [
    { status: "Unknown", reason: "VersionsUnknown", message: `${titleOf(workload)}: ${why}` },
  ];
  switch (standing.kind) {
    case "unknown":
      return unknown(standing.why);
    case "settling":
      return unknown("its object versions have just changed");
    case "rolling":
      return unknown("someone else is replacing its pods");
    case "noVersions":
      return [{ status: "Unknown", reason: "NoVersions", message: `${titleOf(workload)}: ${standing.why}` }];
    case "current":
    case "unawaited":
    case "restarting":
    case "failed":
    case "due":
    case "awaitingFiles":
    case "held":
    case "obstructed":
      return [];
    default:
      return assertNever(standing);
  }
}

/** Returns the condition if workloads of these kinds (`Rollouts`) may use the class, but the worker cannot list them. */
export function withoutKinds(kinds: readonly string[]): Rotated {
  const message = `the worker cannot list ${kinds.join(", ")}, so it cannot determine whether the pods of workloads have these versions; doctor reports the missing permission`;
  return { status: "Unknown", reason: "VersionsUnknown", message };
}

const BY_HAND: Readonly<Record<Obstacle, string>> = {
  Paused: "must be restarted manually",
  Degraded: "must be restarted manually",
  OnDelete: "must be restarted manually",
  Partitioned: "keeps pods with older versions below its partition: lower spec.updateStrategy.rollingUpdate.partition",
};

export function rotatedIn(status: ClassStatus | undefined): RotatedCondition | undefined {
  return status?.conditions.find((each): each is RotatedCondition => each.type === "Rotated");
}

/** Returns the status with that condition, or undefined if the stored one already has it. */
export function withRotated(stored: ClassStatus, rotated: Rotated, time: string): ClassStatus | undefined {
  const before = rotatedIn(stored);
  if (before?.status === rotated.status && before.reason === rotated.reason && before.message === rotated.message) return undefined;
  const next: RotatedCondition = {
    type: "Rotated",
    ...rotated,
    lastTransitionTime: before?.status === rotated.status ? before.lastTransitionTime : time,
  };
  return { ...stored, conditions: [...stored.conditions.filter(({ type }) => type !== "Rotated"), next] };
}

export function hasRotated(status: ClassStatus | undefined): status is ClassStatus {
  return rotatedIn(status) !== undefined;
}

export function withoutRotated(status: ClassStatus): ClassStatus {
  return { ...status, conditions: status.conditions.filter(({ type }) => type !== "Rotated") };
}

type Found<K extends Standing["kind"]> = Judged & { readonly standing: Extract<Standing, { readonly kind: K }> };

function find<K extends Standing["kind"]>(users: readonly Judged[], kind: K): Found<K> | undefined {
  return users.find((judged): judged is Found<K> => judged.standing.kind === kind);
}

/** The message explains what the first workload waits for and names the others. */
function heldCondition(users: readonly Judged[], { workload, standing }: Found<"held">): Rotated {
  const { reason, words } = holdWords(standing.hold);
  const others = users
    .filter((other) => other.standing.kind === "held" && other.workload !== workload)
    .map((other) => titleOf(other.workload));
  const parts = [
    `${titleOf(workload)} is not restarted yet: ${words}`,
    ...(others.length === 0 ? [] : [`also waiting: ${shownNames(others, MAX_SHOWN)}`]),
    ...names(users, "unknown", "versions unknown"),
  ];
  return { status: "False", reason, message: parts.join("; ") };
}

/** Returns a part of a message, or nothing if no workload has that standing. */
function names(users: readonly Judged[], kind: Standing["kind"], what: string): readonly string[] {
  const some = users.filter(({ standing }) => standing.kind === kind).map(({ workload }) => titleOf(workload));
  return some.length === 0 ? [] : [`${what}: ${shownNames(some, MAX_SHOWN)}`];
}

function failureOf({ workload, standing }: Judged): string {
  return standing.kind === "failed" ? `${titleOf(workload)}: ${standing.why}` : "";
}
