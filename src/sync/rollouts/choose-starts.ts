import type { Hold } from "../../domain/rollout/hold.ts";
import { type Due, type Judged, planNamespace } from "../../domain/rollout/namespace-plan.ts";
import type { Breaths } from "../../runtime/breaths.ts";
import type { AskingWorkload } from "./asking.ts";
import { heldBy, withBudgets } from "./rollout-budgets.ts";
import type { RolloutContext } from "./rollout-context.ts";
import { holdsSlot } from "./under-way.ts";

export interface ChosenStarts {
  /** What is due and may not begin says why. */
  readonly asking: readonly AskingWorkload[];
  readonly starts: readonly Due[];
  readonly haltedBy: Judged | undefined;
}

type Context = Pick<RolloutContext, "settings" | "limits">;

/** Which of the due are restarted now: as budgets, the namespace's own number and the cluster's allow. A dry run restarts none of those. */
export async function chooseStarts(
  { settings, limits: { budgets, slots } }: Context,
  namespace: string,
  { free, breaths }: { readonly free: readonly AskingWorkload[]; readonly breaths: Breaths },
): Promise<ChosenStarts> {
  const budgeted = budgets === undefined ? free : await withBudgets(budgets, free, breaths);
  const isDryRun = settings.controls.mode === "dry-run";
  const asking = isDryRun ? budgeted.map((each) => held(each, { kind: "dryRun" })) : budgeted;
  const { starts, haltedBy } = planNamespace(asking, settings.mostAtATime);
  // What is down, or has a slot already, takes nothing from the cluster that it has not taken before.
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
