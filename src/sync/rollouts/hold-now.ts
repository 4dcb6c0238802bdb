import { type KubeObject, RESOURCES } from "../../domain/kubernetes.ts";
import type { Result } from "../../domain/result.ts";
import { exhaustedBudget, observeBudget } from "../../domain/rollout/budget.ts";
import type { Hold } from "../../domain/rollout/hold.ts";
import type { Due } from "../../domain/rollout/namespace-plan.ts";
import type { Workload } from "../../domain/rollout/workload.ts";
import { findByName } from "../find-by-name.ts";
import { attempt, openTrouble } from "./own-requests.ts";
import type { RolloutContext } from "./rollout-context.ts";
import { holdBy } from "./rollout-holds.ts";
import type { Trouble } from "./rollout-memory.ts";
import { defaultsIn } from "./rollout-workloads.ts";

/** For how long an answer counts that no copy shows (milliseconds). */
const COUNTS_MS = 30_000;

/**
 * What keeps a restart from beginning, asked of the API server at once before it does. Copies lag for as long as their watch is broken, and a
 * look that writes one workload after the other takes minutes where an admission webhook is slow: a pause, the end of a window or a budget
 * that is used up by now counts. A workload that does not run has nothing that a budget keeps.
 */
export async function holdNow(
  context: RolloutContext,
  { workload, standing }: Due,
  signal: AbortSignal,
): Promise<Result<Hold | undefined, Trouble>> {
  const { writer, memory, workloads, worker } = context;
  const asked = await attempt(writer, { workload, request: "ask" }, async () => {
    const hold = holdBy(context, workload, await liveDefaults(context, workload, signal));
    return hold ?? (standing.turn === "ready" ? await budgetHold(context, workload, signal) : undefined);
  });
  const hold = asked.ok ? asked.value : undefined;
  const defaults = workloads.defaultsOf(workload.ref.namespace ?? "");
  memory.of(workload).heldNow = hold && { hold, until: worker.clock.now() + COUNTS_MS, defaults };
  return asked;
}

/** The same, as it was answered a moment ago: others have their turn meanwhile. A Namespace that has changed since is asked again. */
export function recentHold({ writer, memory, workloads, worker }: RolloutContext, workload: Workload): Hold | undefined {
  const trouble = openTrouble(writer, { workload, request: "ask" });
  if (trouble !== undefined) return { kind: "blocked", why: trouble.why };
  const { heldNow } = memory.of(workload);
  const isRecent = heldNow !== undefined && worker.clock.now() < heldNow.until;
  return isRecent && heldNow.defaults === workloads.defaultsOf(workload.ref.namespace ?? "") ? heldNow.hold : undefined;
}

/** Milliseconds for which that counts; undefined where nothing does. */
export function heldNowFor({ memory, worker }: RolloutContext, workload: Workload): number | undefined {
  const { heldNow } = memory.of(workload);
  const left = heldNow === undefined ? 0 : heldNow.until - worker.clock.now();
  return left > 0 ? left : undefined;
}

async function liveDefaults({ worker }: RolloutContext, { ref }: Workload, signal: AbortSignal): Promise<Readonly<Record<string, string>>> {
  const found = await findByName<KubeObject>(worker.kube, { resource: RESOURCES.namespaces, ref: { name: ref.namespace ?? "" } }, signal);
  return (found && defaultsIn(found)) ?? {};
}

/** Those under which another restart is under way are known from the look itself. */
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
