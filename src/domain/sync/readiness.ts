/**
 * `Ready`, `Reconciling` and `Stalled`, by which kubectl, Flux and Argo CD judge an object of any kind (kstatus of sigs.k8s.io/cli-utils):
 * `Reconciling` means progress, `Stalled` a failure, and neither exists if all is well.
 */
import type { SyncReason } from "../reasons.ts";
import type { ReadinessCondition, Said, SecretStatus } from "./status-fields.ts";

/**
 * Failures that pass without a change, or that wait for something that is usually applied in the same minute as the class: its credentials,
 * its account, its pods. Every other failure waits for a change of the class, the vault or a permission.
 */
const PASSING: ReadonlySet<SyncReason> = new Set(["Unreachable", "Throttled", "Frozen", "CredentialsMissing", "IdentityUnavailable"]);

type Readiness = Pick<ReadinessCondition, "type" | "status">;

/** Translates `Synced` into these conditions. */
export function readiness(
  { status, reason }: Omit<Said, "message">,
  secrets: readonly Pick<SecretStatus, "state">[],
): readonly Readiness[] {
  const ready: Readiness = { type: "Ready", status };
  if (status === "True" || reason === "SwitchedOff") return [ready];
  return [ready, { type: isPassing(reason, secrets) ? "Reconciling" : "Stalled", status: "True" }];
}

/** Whether a failure can pass without a change by a user. One Secret that needs a change is enough for false. */
export function isPassing(reason: SyncReason, secrets: readonly Pick<SecretStatus, "state">[]): boolean {
  if (reason !== "PartialSync") return PASSING.has(reason);
  return secrets.every(({ state }) => state === "Synced" || PASSING.has(state));
}
