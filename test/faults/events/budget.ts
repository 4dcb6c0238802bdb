import { busiestWindow, type VaultRequest } from "../../load/sync/vault-meter.ts";

/**
 * Most requests to the vault in any 10 seconds, for all leaders together: docs/reference/vault-budget.md. For keys, this is the vault's
 * whole limit.
 */
export const BUDGET = { all: 3_500, keys: 250 } as const;

const WINDOW_MS = 10_000;

/** Largest number of requests in any 10 seconds. */
export interface Busiest {
  readonly all: number;
  readonly keys: number;
}

export interface BudgetUse {
  readonly gets: number;
  readonly lists: number;
  /** Answers with status 429. */
  readonly throttled: number;
  readonly most: Busiest;
  /** The same in windows in which more than one leader may have sent requests. */
  readonly acrossChanges: Busiest;
  /** Whether any window exceeded the budget. */
  readonly isAbove: boolean;
}

/** `starts` are the times at which each leader began (Unix milliseconds). */
export function useOf(requests: readonly VaultRequest[], starts: readonly number[]): BudgetUse {
  const most = busiest(requests);
  const around = starts.map((start) => busiest(requests.filter(({ at }) => at > start - WINDOW_MS && at < start + WINDOW_MS)));
  const acrossChanges = { all: Math.max(0, ...around.map(({ all }) => all)), keys: Math.max(0, ...around.map(({ keys }) => keys)) };
  return {
    gets: requests.filter(({ kind }) => kind === "get").length,
    lists: requests.filter(({ kind, path }) => kind === "list" || /^\/keys\/?$/.test(path)).length,
    throttled: requests.filter(({ isThrottled }) => isThrottled).length,
    most,
    acrossChanges,
    isAbove: most.all > BUDGET.all || most.keys > BUDGET.keys,
  };
}

function busiest(requests: readonly VaultRequest[]): Busiest {
  return { all: busiestWindow(requests), keys: busiestWindow(requests.filter(({ path }) => path.startsWith("/keys/"))) };
}
