import type { Evidence, Fault, Target } from "../fault.ts";
import { askedOfAll, vaultsAnswer } from "../signs.ts";
import { INTERVAL_MS } from "../world.ts";

/** A pause of a second, the delayed requests spread over 30 s, then a poll whose interval the 429s have doubled. */
const THROTTLED_SECONDS = 31 + 20 + 10;

const answered = (target: Target, status: number, what: string): Evidence =>
  askedOfAll(target, {
    isMeant: (one) => one.status === status,
    reported: (count) => `request log of the vaults: ${count} answered ${status}${what}`,
  });

const failing = (status: number, what = "", header: { readonly retryAfterSeconds?: number } = {}): Fault["strike"] => {
  return async (target) => ({
    ...(await vaultsAnswer(target, { kind: "status", status, ...header })),
    evidence: answered(target, status, what),
  });
};

const throttling = (retryAfterSeconds: number | undefined): Fault["strike"] =>
  retryAfterSeconds === undefined
    ? failing(429, " without Retry-After")
    : failing(429, ` with Retry-After: ${retryAfterSeconds}`, { retryAfterSeconds });

/** After a 429, the worker polls a vault at most eight times less often, until the vault has answered for a while. */
const SLOWED_SECONDS = (8 * INTERVAL_MS) / 1_000 + 15;

/** Answers of a vault that throttles or fails. */
export const throttlingFaults: readonly Fault[] = [
  { name: "Key Vault 503", bound: 45, strike: failing(503) },
  { name: "Key Vault 429 without Retry-After", bound: THROTTLED_SECONDS, settles: SLOWED_SECONDS, strike: throttling(undefined) },
  { name: "Key Vault 429 with Retry-After", bound: THROTTLED_SECONDS + 5, settles: SLOWED_SECONDS, strike: throttling(5) },
  {
    name: "the budget of the vaults used up by others",
    bound: THROTTLED_SECONDS,
    settles: SLOWED_SECONDS,
    strike: async (target) => {
      const { world, all } = target;
      for (const { vault } of all) await world.emulator.setBudget({ vault, transactions: 2, perSeconds: 10 });
      return {
        evidence: answered(target, 429, " by the vaults' own budget"),
        mend: async () => {
          for (const { vault } of all) await world.emulator.clearBudget({ vault });
        },
      };
    },
  },
];
