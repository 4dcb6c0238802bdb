import type { CHECKS } from "../../../src/cli/doctor/checks/check.ts";

/** What is done to an install, which check of `doctor` has to find it, and how it is put right. */
export interface Damage {
  readonly what: string;
  readonly check: (typeof CHECKS)[number];
  readonly state: "FAIL" | "WARN";
  readonly message: RegExp;
  readonly damage: () => Promise<unknown>;
  readonly repair: () => Promise<unknown>;
}
