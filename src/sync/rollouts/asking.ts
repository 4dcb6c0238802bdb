import type { Judged } from "../../domain/rollout/namespace-plan.ts";
import type { Uses } from "../../domain/rollout/uses.ts";
import type { Versions } from "../../domain/rollout/versions.ts";

/** A workload that requests restarts, with its classes and Secrets and their versions. */
export interface AskingWorkload extends Judged {
  /** Longest time in milliseconds for which a restart of the workload counts as under way. */
  readonly slotMs: number;
  readonly uses: Uses;
  readonly versions: Versions;
}
