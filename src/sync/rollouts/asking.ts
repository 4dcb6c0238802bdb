import type { Judged } from "../../domain/rollout/namespace-plan.ts";
import type { Uses } from "../../domain/rollout/uses.ts";
import type { Versions } from "../../domain/rollout/versions.ts";

/** A workload that asks, with what it uses. */
export interface AskingWorkload extends Judged {
  /** Milliseconds for which a restart of it counts as under way at most. */
  readonly slotMs: number;
  readonly uses: Uses;
  readonly versions: Versions;
}
