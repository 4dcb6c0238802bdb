import type { Fault, Target } from "../fault.ts";
import { INTERVAL_MS } from "../world.ts";

/** Until it is mended. */
const ALWAYS = 1_000_000;

/** A pause of a second, what was held up comes back over 30 s, then a poll whose interval the 429s have doubled. */
const THROTTLED_SECONDS = 31 + 20 + 10;

const statusCount =
  ({ world, all, requestMark }: Target, status: number, what: string) =>
  async (): Promise<string | undefined> => {
    const hosts = new Set(all.map(({ host }) => host));
    const struck = (await world.requests.since(requestMark)).filter((one) => hosts.has(one.host) && one.status === status);
    const all3 = new Set(struck.map(({ host }) => host)).size === hosts.size;
    return all3 ? `request log of the vaults: ${struck.length} answered ${status}${what}` : undefined;
  };

const throttling = (retryAfterSeconds: number | undefined): Fault["strike"] => {
  return async (target) => {
    const { world, all } = target;
    const header = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
    for (const { vault } of all) await world.emulator.injectFault({ vault, kind: "status", status: 429, times: ALWAYS, ...header });
    return {
      evidence: statusCount(
        target,
        429,
        retryAfterSeconds === undefined ? " without Retry-After" : ` with Retry-After: ${retryAfterSeconds}`,
      ),
      mend: async () => {
        for (const { vault } of all) await world.emulator.clearFaults({ vault });
      },
    };
  };
};

const failing = (status: number): Fault["strike"] => {
  return async (target) => {
    const { world, all } = target;
    for (const { vault } of all) await world.emulator.injectFault({ vault, kind: "status", status, times: ALWAYS });
    return {
      evidence: statusCount(target, status, ""),
      mend: async () => {
        for (const { vault } of all) await world.emulator.clearFaults({ vault });
      },
    };
  };
};

/** A vault that said 429 is polled eight times less often at most, until it has answered for a while. */
const SLOWED_SECONDS = (8 * INTERVAL_MS) / 1_000 + 15;

/** What a vault answers when it is asked too often, or is not well. */
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
        evidence: statusCount(target, 429, " by the vaults' own budget"),
        mend: async () => {
          for (const { vault } of all) await world.emulator.clearBudget({ vault });
        },
      };
    },
  },
];
