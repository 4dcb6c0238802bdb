import type { Hold } from "../../domain/rollout/hold.ts";
import { type Due, type Judged, planNamespace } from "../../domain/rollout/namespace-plan.ts";
import type { Breaths } from "../../runtime/breaths.ts";
import type { AskingWorkload } from "./asking.ts";
import { heldBy, withBudgets } from "./rollout-budgets.ts";
import type { RolloutContext } from "./rollout-context.ts";
import { holdsSlot } from "./under-way.ts";

export interface ChosenStarts {
  /** All workloads that request restarts. If a due restart cannot begin, the standing of its workload says why. */
  readonly asking: readonly AskingWorkload[];
  readonly starts: readonly Due[];
  readonly haltedBy: Judged | undefined;
}

interface FreeWorkloads {
  readonly free: readonly AskingWorkload[];
  readonly breaths: Breaths;
  /** Number of restarts of the namespace that may be under way at a time. */
  readonly most: number;
}

type Context = Pick<RolloutContext, "settings" | "limits">;

/**
 * Chooses the due restarts that begin now. Disruption budgets, the limit of the namespace and the limit of the cluster must allow them. In
 * a dry run, none begins.
 */
export async function chooseStarts(
  { settings, limits: { budgets, slots } }: Context,
  namespace: string,
  { free, breaths, most }: FreeWorkloads,
): Promise<ChosenStarts> {
  const budgeted = budgets === undefined ? free : await withBudgets(budgets, free, breaths);
  const isDryRun = settings.controls.mode === "dry-run";
  const asking = isDryRun ? budgeted.map((each) => held(each, { kind: "dryRun" })) : budgeted;
  const { starts, haltedBy } = planNamespace(asking, most);
  // A workload that was not ready before, or that already has a slot, takes no further slot of the cluster.
  const holders = asking.filter(holdsSlot);
  const withSlot = new Set(holders.map(({ workload }) => workload.uid));
  const inTurn = starts.filter(({ standing, workload }) => standing.turn !== "unready" && !withSlot.has(workload.uid));
  const underWay = Math.min(settings.mostAtATime, holders.length);
  const granted = asking.length === 0 ? 0 : slots.claim({ namespace, underWay, wanted: inTurn.length });
  if (asking.length === 0) slots.forget(namespace);
  const refused = new Set(inTurn.slice(granted).map(({ workload }) => workload.uid));
  return {
    asking: asking.map((each) => (refused.has(each.workload.uid) ? held(each, { kind: "cluster" }) : each)),
    starts: starts.filter(({ workload }) => !refused.has(workload.uid)),
    haltedBy,
  };
}

function held(each: AskingWorkload, hold: Hold): AskingWorkload {
  return each.standing.kind === "due" ? { ...each, standing: heldBy(each.standing, hold) } : each;
}
