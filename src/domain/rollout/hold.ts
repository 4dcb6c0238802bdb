import { assertNever } from "../assert-never.ts";
import type { RolloutReason } from "../reasons.ts";

/** Why a restart that is due does not begin. */
export type Hold =
  | { readonly kind: "paused"; readonly by: PausedBy }
  /** Closed until then (Unix milliseconds). */
  | { readonly kind: "window"; readonly opensAt: number }
  /** `subject` says where it stands, `why` what is wrong with it. */
  | { readonly kind: "invalidWindow"; readonly subject: string; readonly why: string }
  /** A PodDisruptionBudget allows none. */
  | { readonly kind: "budget"; readonly name: string; readonly why: BudgetWhy }
  /** The PodDisruptionBudgets of the cluster are not known at the moment. */
  | { readonly kind: "budgetsUnknown" }
  /** As many of the cluster as `--max-rollouts` allows are under way. */
  | { readonly kind: "cluster" }
  /** The API server did not take its restart at the last attempt, which is repeated. `why`: in its words. */
  | { readonly kind: "blocked"; readonly why: string }
  /** `--restart-mode=dry-run` */
  | { readonly kind: "dryRun" };

/** It allows no disruption now, another restart is under way under it, or nobody knows what it covers. */
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

export interface ToldHold {
  readonly type: "Normal" | "Warning";
  readonly reason: HoldReason;
  /** What it waits for, and what to do where somebody has to. */
  readonly words: string;
}

export function holdWords(hold: Hold): ToldHold {
  switch (hold.kind) {
    case "paused":
      return { type: "Normal", reason: "RestartsPaused", words: PAUSED[hold.by] };
    case "window":
      return { type: "Normal", reason: "WindowClosed", words: closedWords(hold.opensAt) };
    case "invalidWindow": {
      const words = `${hold.subject} is invalid; no workload is restarted until it is fixed: ${hold.why}`;
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
