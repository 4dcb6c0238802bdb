import type { Counter, Registry } from "prom-client";
import { HOLD_KINDS, type Hold } from "../../domain/rollout/hold.ts";
import { metricsIn } from "../../runtime/metrics.ts";

export interface RolloutMetrics {
  readonly rollouts: Counter<"outcome">;
  /** Stores the current state of the namespace. Keeps nothing of a namespace in which no restart waits or is held. */
  observe(namespace: string, state: NamespaceState): void;
}

export interface NamespaceState {
  /** Number of workloads that wait for their restart. */
  readonly waiting: number;
  /** Whether a failed restart holds them up. */
  readonly isHalted: boolean;
  /** Reason for each held restart. */
  readonly held: readonly Hold["kind"][];
}

export function createRolloutMetrics(registry: Registry): RolloutMetrics {
  const { counter, observed } = metricsIn(registry);
  const states = new Map<string, NamespaceState>();
  const all = (): readonly NamespaceState[] => [...states.values()];
  const rollouts = counter("rollouts_total", "Restarts of workloads because of new versions, by outcome.", {
    outcome: ["started", "completed", "failed"],
  });
  observed("rollouts_waiting", "Workloads that wait for their restart.", (own) =>
    own.set(all().reduce((sum, { waiting }) => sum + waiting, 0)),
  );
  observed("rollouts_halted", "Namespaces in which no workload is restarted because a restart failed.", (own) =>
    own.set(all().filter(({ isHalted }) => isHalted).length),
  );
  observed(
    "rollouts_held",
    "Workloads whose restart is due but held, by reason.",
    (own) => {
      const held = all().flatMap((state) => state.held);
      for (const kind of HOLD_KINDS) own.set({ cause: CAUSES[kind] }, held.filter((each) => each === kind).length);
    },
    ["cause"],
  );
  return {
    rollouts,
    observe: (namespace, state) => {
      if (state.waiting === 0 && !state.isHalted && state.held.length === 0) states.delete(namespace);
      else states.set(namespace, state);
    },
  };
}

/** Label values: a closed set. */
const CAUSES: Readonly<Record<Hold["kind"], string>> = {
  paused: "paused",
  window: "window",
  invalidWindow: "invalid_window",
  budget: "disruption_budget",
  budgetsUnknown: "budgets_unknown",
  cluster: "max_rollouts",
  blocked: "blocked",
  dryRun: "dry_run",
};

export const HELD_CAUSES: readonly string[] = HOLD_KINDS.map((kind) => CAUSES[kind]);
