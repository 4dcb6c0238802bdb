import { Groups } from "../../domain/groups.ts";
import { RESOURCES } from "../../domain/kubernetes.ts";
import type { KubeWatcher } from "../../domain/ports/kube-watcher.ts";
import { type Budget, budgetsOf, exhaustedBudget, observeBudget } from "../../domain/rollout/budget.ts";
import type { Hold } from "../../domain/rollout/hold.ts";
import { rejectedFor, type Standing } from "../../domain/rollout/standing.ts";
import type { Breaths } from "../../runtime/breaths.ts";
import type { AskingWorkload } from "./asking.ts";

/** Live PodDisruptionBudgets. */
export interface RolloutBudgets {
  readonly hasSynced: boolean;
  ofNamespace(namespace: string): readonly Budget[];
}

export interface BudgetsOptions {
  readonly watcher: KubeWatcher;
  /** Called when a budget of the namespace changes. */
  readonly onChange: (namespace: string) => void;
  /** Called when all budgets have been listed. The worker then also knows which namespaces have none. */
  readonly onListed: () => void;
}

export function startRolloutBudgets({ watcher, onChange, onListed }: BudgetsOptions, signal: AbortSignal): RolloutBudgets {
  const byNamespace = new Groups<Budget>();
  const reflector = watcher.reflect<Budget>(
    {
      resource: RESOURCES.podDisruptionBudgets,
      project: observeBudget,
      onChange: ({ namespace = "", name }, { current }) => {
        if (current === undefined) byNamespace.delete(namespace, name);
        else byNamespace.set(namespace, name, current);
        onChange(namespace);
      },
      observer: { listed: onListed },
    },
    signal,
  );
  return {
    get hasSynced() {
      return reflector.hasSynced;
    },
    ofNamespace: (namespace) => byNamespace.of(namespace),
  };
}

/** Units of event loop time for one selector, as {@link Breaths} counts them. */
const UNITS_OF_A_SELECTOR = 2;

/**
 * Holds the due restarts whose budget has no room, in the order of the restarts. A budget protects only a workload that runs well. A
 * workload that is down, or in the middle of the worker's restart, recovers by its restart, which its budget would never allow.
 */
export async function withBudgets(
  budgets: RolloutBudgets,
  asking: readonly AskingWorkload[],
  breaths: Breaths,
): Promise<readonly AskingWorkload[]> {
  const taken = new Set<string>();
  const known = budgets.ofNamespace(asking[0]?.workload.ref.namespace ?? "");
  const units = known.length * UNITS_OF_A_SELECTOR;
  const take = ({ workload }: AskingWorkload): void => {
    for (const { name } of budgetsOf(workload, known)) taken.add(name);
  };
  for (const each of asking.filter(isUnderWay)) {
    take(each);
    await breaths.spend(units);
  }
  const holds = new Map<string, Hold>();
  for (const each of asking.filter(isSubject).toSorted((a, b) => (a.workload.ref.name < b.workload.ref.name ? -1 : 1))) {
    const exhausted = exhaustedBudget({ workload: each.workload, budgets: known, taken });
    if (!budgets.hasSynced) holds.set(each.workload.uid, { kind: "budgetsUnknown" });
    else if (exhausted === undefined) take(each);
    else holds.set(each.workload.uid, { kind: "budget", ...exhausted });
    await breaths.spend(units);
  }
  return asking.map((each) => {
    const hold = holds.get(each.workload.uid);
    return hold === undefined || each.standing.kind !== "due" ? each : { ...each, standing: heldBy(each.standing, hold) };
  });
}

function isUnderWay({ standing, isUnderWay: isReplaced }: AskingWorkload): boolean {
  if (standing.kind === "held") return isReplaced === true;
  if (standing.kind === "settling" || standing.kind === "awaitingFiles") return standing.isUnfinished;
  return standing.kind === "restarting" || standing.kind === "failed";
}

function isSubject({ standing }: AskingWorkload): boolean {
  return standing.kind === "due" && standing.turn === "ready";
}

/** Returns the standing of a due workload that is held. A rejected restart has failed, unless someone pauses the workload. */
export function heldBy({ stamp, since, turn, rejected }: Extract<Standing, { readonly kind: "due" }>, hold: Hold): Standing {
  if (rejected !== undefined && hold.kind !== "paused") return rejectedFor(rejected);
  return { kind: "held", stamp, since, turn, hold };
}
