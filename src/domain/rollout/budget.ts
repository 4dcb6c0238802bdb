import { memberOf } from "../json-members.ts";
import { isJsonObject, type JsonObject } from "../json-object.ts";
import type { KubeObject } from "../kubernetes.ts";
import { selectsLabels } from "./label-selector.ts";
import type { Workload } from "./workload.ts";

/** What counts of a PodDisruptionBudget. */
export interface Budget {
  readonly name: string;
  /** Undefined: it selects no pod. */
  readonly selector: JsonObject | undefined;
  /** No pod may be disrupted at the moment, or its controller has yet to say whether one may. */
  readonly isExhausted: boolean;
}

export function observeBudget(object: KubeObject): Budget {
  const { selector } = memberOf(object, "spec");
  const status = memberOf(object, "status");
  const { disruptionsAllowed, expectedPods, observedGeneration } = status;
  const isObserved = typeof observedGeneration === "number" && observedGeneration >= (object.metadata.generation ?? 0);
  // Without pods there is nothing to disrupt, and the controller allows nothing.
  const isExhausted = !isObserved || (expectedPods !== 0 && !(typeof disruptionsAllowed === "number" && disruptionsAllowed > 0));
  return { name: object.metadata.name, selector: isJsonObject(selector) ? selector : undefined, isExhausted };
}

/** Names of the budgets that cover the pods of the workload, sorted. */
export function budgetsOf({ labels }: Pick<Workload, "labels">, budgets: readonly Budget[]): readonly Budget[] {
  return budgets
    .filter(({ selector }) => selector !== undefined && selectsLabels(selector, labels))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

export interface BudgetsInput {
  readonly workload: Pick<Workload, "labels">;
  readonly budgets: readonly Budget[];
  /** Names of those under which a restart is under way, or begins in the same look: what they allow is told later. */
  readonly taken: ReadonlySet<string>;
}

/** The first budget that allows no restart of the workload. */
export function exhaustedBudget({
  workload,
  budgets,
  taken,
}: BudgetsInput): { readonly name: string; readonly isTaken: boolean } | undefined {
  const own = budgetsOf(workload, budgets);
  const exhausted = own.find(({ isExhausted }) => isExhausted);
  if (exhausted !== undefined) return { name: exhausted.name, isTaken: false };
  const shared = own.find(({ name }) => taken.has(name));
  return shared === undefined ? undefined : { name: shared.name, isTaken: true };
}
