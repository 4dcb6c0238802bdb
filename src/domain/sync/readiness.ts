/**
 * `Ready`, `Reconciling` and `Stalled`, by which kubectl, Flux and Argo CD judge an object without knowing its kind (kstatus of
 * sigs.k8s.io/cli-utils): `Reconciling` is progress, `Stalled` a failure, and neither of them is there when all is well.
 */
import type { SyncReason } from "../reasons.ts";
import type { ReadinessCondition, Said, SecretStatus } from "./status-fields.ts";

/**
 * Passes by itself, or waits for what is usually applied in the same minute as the class: its credentials, its account, its pods. Everything
 * else waits for somebody who changes the class, the vault or a right.
 */
const PASSING: ReadonlySet<SyncReason> = new Set(["Unreachable", "Throttled", "Frozen", "CredentialsMissing", "IdentityUnavailable"]);

type Readiness = Pick<ReadinessCondition, "type" | "status">;

/** What `Synced` says, in those words. */
export function readiness(
  { status, reason }: Omit<Said, "message">,
  secrets: readonly Pick<SecretStatus, "state">[],
): readonly Readiness[] {
  const ready: Readiness = { type: "Ready", status };
  if (status === "True" || reason === "SwitchedOff") return [ready];
  return [ready, { type: isPassing(reason, secrets) ? "Reconciling" : "Stalled", status: "True" }];
}

/** Whether a failure may go without anybody's doing. One Secret that waits for somebody is enough. */
export function isPassing(reason: SyncReason, secrets: readonly Pick<SecretStatus, "state">[]): boolean {
  if (reason !== "PartialSync") return PASSING.has(reason);
  return secrets.every(({ state }) => state === "Synced" || PASSING.has(state));
}
