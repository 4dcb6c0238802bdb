import { memberOf } from "../json-members.ts";
import { isJsonObject } from "../json-object.ts";
import type { KubeObject } from "../kubernetes.ts";
import type { BudgetWhy } from "./hold.ts";
import { selectsLabels } from "./label-selector.ts";
import type { Workload } from "./workload.ts";

/** The relevant parts of a PodDisruptionBudget. */
export interface Budget {
  readonly name: string;
  /** Whether it covers pods with these labels. */
  readonly covers: (labels: Readonly<Record<string, string>>) => boolean;
  /** Whether its selector is too long to keep in memory. The worker then assumes that it covers every pod of the namespace. */
  readonly isTooLarge: boolean;
  /** Whether it allows no disruption at the moment, or its controller has not reported yet whether it allows one. */
  readonly isExhausted: boolean;
}

/** Most characters of a selector: the worker holds thousands of budgets, and compares them with each workload that is due. */
const MOST_CHARACTERS = 2_048;

export function observeBudget(object: KubeObject): Budget {
  const { selector } = memberOf(object, "spec");
  const status = memberOf(object, "status");
  const { disruptionsAllowed, expectedPods, observedGeneration } = status;
  const isObserved = typeof observedGeneration === "number" && observedGeneration >= (object.metadata.generation ?? 0);
  // Without pods there is nothing to disrupt, and the controller allows nothing.
  const isExhausted = !isObserved || (expectedPods !== 0 && !(typeof disruptionsAllowed === "number" && disruptionsAllowed > 0));
  const isTooLarge = isJsonObject(selector) && JSON.stringify(selector).length > MOST_CHARACTERS;
  return { name: object.metadata.name, covers: isTooLarge ? () => true : coversBy(selector), isTooLarge, isExhausted };
}

/** A budget without a selector selects no pod. */
function coversBy(selector: unknown): Budget["covers"] {
  return isJsonObject(selector) ? (labels) => selectsLabels(selector, labels) : () => false;
}

/** Returns the budgets that cover the pods of the workload, sorted by name. */
export function budgetsOf({ labels }: Pick<Workload, "labels">, budgets: readonly Budget[]): readonly Budget[] {
  return budgets.filter(({ covers }) => covers(labels)).toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

export interface BudgetsInput {
  readonly workload: Pick<Workload, "labels">;
  readonly budgets: readonly Budget[];
  /**
   * Names of the budgets that cover a restart in progress, or one that begins in the same pass. Their status does not show yet what they
   * still allow.
   */
  readonly taken: ReadonlySet<string>;
}

/** Returns the first budget that allows no restart of the workload. */
export function exhaustedBudget({
  workload,
  budgets,
  taken,
}: BudgetsInput): { readonly name: string; readonly why: BudgetWhy } | undefined {
  const own = budgetsOf(workload, budgets);
  const unread = own.find(({ isTooLarge }) => isTooLarge);
  if (unread !== undefined) return { name: unread.name, why: "tooLarge" };
  const exhausted = own.find(({ isExhausted }) => isExhausted);
  if (exhausted !== undefined) return { name: exhausted.name, why: "exhausted" };
  const shared = own.find(({ name }) => taken.has(name));
  return shared === undefined ? undefined : { name: shared.name, why: "taken" };
}
