import { type KubeObject, RESOURCES } from "../../domain/kubernetes.ts";
import type { Result } from "../../domain/result.ts";
import { exhaustedBudget, observeBudget } from "../../domain/rollout/budget.ts";
import type { Hold } from "../../domain/rollout/hold.ts";
import type { Due } from "../../domain/rollout/namespace-plan.ts";
import type { Workload } from "../../domain/rollout/workload.ts";
import { findByName } from "../find-by-name.ts";
import { attempt, openTrouble } from "./own-requests.ts";
import type { RolloutContext } from "./rollout-context.ts";
import { defaultsFor, holdBy } from "./rollout-holds.ts";
import type { Trouble } from "./rollout-memory.ts";
import { defaultsIn } from "./rollout-workloads.ts";

/** Time in milliseconds for which an answer of the API server counts although no live copy shows it. */
const COUNTS_MS = 30_000;

/** State of the Namespace of a workload right before its restart. */
interface HeldNow {
  readonly hold: Hold | undefined;
  /** Project annotations of the Namespace. */
  readonly defaults: Readonly<Record<string, string>>;
}

/**
 * Reads from the API server what keeps a restart from beginning, right before it begins. A live copy is outdated while its watch is broken,
 * and a reconcile that writes one workload after the other takes minutes if an admission webhook is slow. A pause, the end of a window, or
 * a budget that was used up in the meantime counts. A workload that is not ready has nothing that a budget protects.
 */
export async function holdNow(
  context: RolloutContext,
  { workload, standing }: Due,
  signal: AbortSignal,
): Promise<Result<HeldNow, Trouble>> {
  const { writer, memory, worker } = context;
  const asked = await attempt(writer, { workload, request: "ask" }, async () => {
    const live = await liveDefaults(context, workload, signal);
    const isSubject = standing.turn === "ready";
    const hold = holdBy(context, workload, live) ?? (isSubject ? await budgetHold(context, workload, signal) : undefined);
    return { hold, defaults: live };
  });
  const hold = asked.ok ? asked.value.hold : undefined;
  const defaults = defaultsFor(context, workload);
  memory.of(workload).heldNow = hold && { hold, until: worker.clock.now() + COUNTS_MS, defaults };
  return asked;
}

/**
 * Returns the recent result of {@link holdNow}, so that other workloads have their turn in the meantime. The result does not count if the
 * Namespace has changed since.
 */
export function recentHold(context: RolloutContext, workload: Workload): Hold | undefined {
  const { writer, memory, worker } = context;
  const trouble = openTrouble(writer, { workload, request: "ask" });
  if (trouble !== undefined) return { kind: "blocked", why: trouble.why };
  const { heldNow } = memory.of(workload);
  const isRecent = heldNow !== undefined && worker.clock.now() < heldNow.until;
  return isRecent && heldNow.defaults === defaultsFor(context, workload) ? heldNow.hold : undefined;
}

/** Returns the time in milliseconds for which that result still counts; undefined if there is none. */
export function heldNowFor({ memory, worker }: RolloutContext, workload: Workload): number | undefined {
  const { heldNow } = memory.of(workload);
  const left = heldNow === undefined ? 0 : heldNow.until - worker.clock.now();
  return left > 0 ? left : undefined;
}

async function liveDefaults({ worker }: RolloutContext, { ref }: Workload, signal: AbortSignal): Promise<Readonly<Record<string, string>>> {
  const found = await findByName<KubeObject>(worker.kube, { resource: RESOURCES.namespaces, ref: { name: ref.namespace ?? "" } }, signal);
  return (found && defaultsIn(found)) ?? {};
}

/** Returns the hold by a live budget that is used up. The reconcile itself knows the budgets under which another restart is under way. */
async function budgetHold(
  { limits: { budgets }, worker }: RolloutContext,
  workload: Workload,
  signal: AbortSignal,
): Promise<Hold | undefined> {
  if (budgets === undefined) return undefined;
  const { namespace = "" } = workload.ref;
  const live = await worker.kube.list<KubeObject>(RESOURCES.podDisruptionBudgets, { namespace }, signal);
  const exhausted = exhaustedBudget({ workload, budgets: live.map(observeBudget), taken: new Set() });
  return exhausted && { kind: "budget", ...exhausted };
}
