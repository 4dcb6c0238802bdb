import { Counter, Gauge, type Registry } from "prom-client";
import { HOLD_KINDS, type Hold } from "../../domain/rollout/hold.ts";
import { METRIC_PREFIX } from "../../runtime/metrics.ts";

export interface RolloutMetrics {
  readonly rollouts: Counter<"outcome">;
  /** What the namespace has at the moment; nothing of a namespace without workloads that ask. */
  observe(namespace: string, state: NamespaceState): void;
}

export interface NamespaceState {
  /** Workloads that are to be restarted. */
  readonly waiting: number;
  /** A failed restart holds them up. */
  readonly isHalted: boolean;
  /** Of each workload whose restart may not begin: why. */
  readonly held: readonly Hold["kind"][];
}

export function createRolloutMetrics(registry: Registry): RolloutMetrics {
  const registers = [registry];
  const name = (suffix: string): string => `${METRIC_PREFIX}${suffix}`;
  const rollouts = new Counter({
    name: name("rollouts_total"),
    help: "Restarts of workloads because of new versions, by outcome.",
    labelNames: ["outcome"],
    registers,
  });
  for (const outcome of ["started", "completed", "failed"]) rollouts.inc({ outcome }, 0);
  const states = new Map<string, NamespaceState>();
  const waiting: Gauge = new Gauge({
    name: name("rollouts_waiting"),
    help: "Workloads that wait for their restart.",
    registers,
    collect: () => waiting.set([...states.values()].reduce((sum, state) => sum + state.waiting, 0)),
  });
  const halted: Gauge = new Gauge({
    name: name("rollouts_halted"),
    help: "Namespaces in which nothing is restarted because a restart failed.",
    registers,
    collect: () => halted.set([...states.values()].filter(({ isHalted }) => isHalted).length),
  });
  const held: Gauge<"cause"> = new Gauge({
    name: name("rollouts_held"),
    help: "Workloads that are to be restarted and may not be now, by what keeps them.",
    labelNames: ["cause"],
    registers,
    collect: () => {
      const all = [...states.values()].flatMap((state) => state.held);
      for (const kind of HOLD_KINDS) held.set({ cause: CAUSES[kind] }, all.filter((each) => each === kind).length);
    },
  });
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
