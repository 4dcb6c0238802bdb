import { assertNever } from "../assert-never.ts";
import type { RolloutReason } from "../reasons.ts";

/** Why a due restart does not begin. */
export type Hold =
  | { readonly kind: "paused"; readonly by: PausedBy }
  /** Closed until then (Unix milliseconds). */
  | { readonly kind: "window"; readonly opensAt: number }
  /** `subject`: the annotation and the object that has it; `why`: its error. */
  | { readonly kind: "invalidWindow"; readonly subject: string; readonly why: string }
  /** A PodDisruptionBudget does not allow the restart. */
  | { readonly kind: "budget"; readonly name: string; readonly why: BudgetWhy }
  /** The worker does not know the PodDisruptionBudgets of the cluster at the moment. */
  | { readonly kind: "budgetsUnknown" }
  /** The cluster already has as many restarts in progress as `--max-rollouts` allows. */
  | { readonly kind: "cluster" }
  /** The API server rejected the last attempt, and the worker retries. `why`: message of the API server. */
  | { readonly kind: "blocked"; readonly why: string }
  /** `--restart-mode=dry-run` */
  | { readonly kind: "dryRun" };

/** The budget allows no disruption now, covers another restart in progress, or has a selector that is too long. */
export type BudgetWhy = "exhausted" | "taken" | "tooLarge";

export type PausedBy = "workload" | "namespace" | "cluster";

export const HOLD_KINDS = [
  "paused",
  "window",
  "invalidWindow",
  "budget",
  "budgetsUnknown",
  "cluster",
  "blocked",
  "dryRun",
] as const satisfies readonly Hold["kind"][];

export type HoldReason = Extract<
  RolloutReason,
  "RestartsPaused" | "WindowClosed" | "InvalidWindow" | "DisruptionBudget" | "Waiting" | "RestartBlocked" | "DryRun"
>;

export interface ReportedHold {
  readonly type: "Normal" | "Warning";
  readonly reason: HoldReason;
  /** Cause of the hold, and the action that a user has to take, if any. */
  readonly words: string;
}

export function holdWords(hold: Hold): ReportedHold {
  switch (hold.kind) {
    case "paused":
      return { type: "Normal", reason: "RestartsPaused", words: PAUSED[hold.by] };
    case "window":
      return { type: "Normal", reason: "WindowClosed", words: closedWords(hold.opensAt) };
    case "invalidWindow": {
      const words = `${hold.subject} is invalid, and prevents restarts until it is corrected: ${hold.why}`;
      return { type: "Warning", reason: "InvalidWindow", words };
    }
    case "budget":
      return { type: "Normal", reason: "DisruptionBudget", words: `PodDisruptionBudget ${hold.name}: ${BUDGET[hold.why]}` };
    case "budgetsUnknown":
      return { type: "Warning", reason: "DisruptionBudget", words: "the worker cannot see PodDisruptionBudgets; `doctor` reports why" };
    case "cluster":
      return { type: "Normal", reason: "Waiting", words: "as many workloads as --max-rollouts allows are being restarted" };
    case "blocked":
      return { type: "Warning", reason: "RestartBlocked", words: `the API server did not accept the restart: ${hold.why}` };
    case "dryRun":
      return { type: "Normal", reason: "DryRun", words: "--restart-mode is dry-run: it would be restarted" };
    default:
      return assertNever(hold);
  }
}

const BUDGET: Readonly<Record<BudgetWhy, string>> = {
  exhausted: "allows no disruption at the moment",
  taken: "another restart that it covers is in progress",
  tooLarge: "its selector is too long to determine which pods it covers",
};

const PAUSED: Readonly<Record<PausedBy, string>> = {
  workload: 'keyvault-injector.dev/restart-paused on the workload is not "false"',
  namespace: 'keyvault-injector.dev/restart-paused on its Namespace is not "false"',
  cluster: "--restart-mode is paused",
};

function closedWords(opensAt: number): string {
  if (!Number.isFinite(opensAt)) return "its restart window does not open again";
  return `its restart window opens at ${new Date(opensAt).toISOString().replace(".000Z", "Z")}`;
}
