import type { CHECKS } from "../../../src/cli/doctor/checks/check.ts";

/** A damage to an install, the check of `doctor` that has to find it, and its repair. */
export interface Damage {
  readonly what: string;
  readonly check: (typeof CHECKS)[number];
  readonly state: "FAIL" | "WARN";
  readonly message: RegExp;
  readonly damage: () => Promise<unknown>;
  readonly repair: () => Promise<unknown>;
}
