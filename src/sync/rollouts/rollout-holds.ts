import { RESTART_ANNOTATIONS } from "../../domain/annotations.ts";
import { type Controls, controlsOf, holdOf } from "../../domain/rollout/controls.ts";
import type { Hold } from "../../domain/rollout/hold.ts";
import type { Workload } from "../../domain/rollout/workload.ts";
import { windowAt } from "../../domain/schedule/restart-window.ts";
import type { Breaths } from "../../runtime/breaths.ts";
import type { AskingWorkload } from "./asking.ts";
import { attempt } from "./own-requests.ts";
import { heldBy } from "./rollout-budgets.ts";
import type { RolloutContext } from "./rollout-context.ts";
import { stampOf } from "./rollout-versions.ts";
import { recordAnswered } from "./rollout-write.ts";

/** Nobody's timer has to be right for longer, nor a machine's clock (milliseconds). */
const LONGEST_WAIT_MS = 3_600_000;

/** Of the event loop's time, as {@link Breaths} counts it. */
const UNITS_OF_A_WINDOW = 500;

/** Those that are due and may not be restarted now say why instead. */
export function withHolds(asking: readonly AskingWorkload[], holds: ReadonlyMap<string, Hold>): readonly AskingWorkload[] {
  return asking.map((each) => {
    const hold = holds.get(each.workload.uid);
    return each.standing.kind !== "due" || hold === undefined ? each : { ...each, standing: heldBy(each.standing, hold) };
  });
}

/** By uid: what keeps the restarts of those that are due from beginning. */
export async function holdsOf(
  context: RolloutContext,
  asking: readonly AskingWorkload[],
  breaths: Breaths,
): Promise<ReadonlyMap<string, Hold>> {
  const holds = new Map<string, Hold>();
  for (const { standing, workload } of asking) {
    if (standing.kind !== "due") continue;
    const hold = holdBy(context, workload, context.workloads.defaultsOf(workload.ref.namespace ?? ""));
    if (hold !== undefined) holds.set(workload.uid, hold);
    // The walk through a calendar, where its window was not looked at yet.
    await breaths.spend(UNITS_OF_A_WINDOW);
  }
  return holds;
}

/** `namespace`: annotations of ours on its Namespace. */
export function holdBy(context: RolloutContext, workload: Workload, namespace: Readonly<Record<string, string>>): Hold | undefined {
  const controls = controlsOf(workload, namespace, context.settings.controls);
  const isRequested = openRequest(workload, controls) !== undefined;
  return holdOf({ controls, isRequested, now: context.worker.clock.now() });
}

function controlsFor({ workloads, settings }: RolloutContext, workload: Workload): Controls {
  return controlsOf(workload, workloads.defaultsOf(workload.ref.namespace ?? ""), settings.controls);
}

/** Hash of a request that was not followed yet: what follows it records that. */
function openRequest({ own }: Workload, { request }: Controls): string | undefined {
  const asked = request === undefined ? undefined : stampOf(request);
  return asked === own[RESTART_ANNOTATIONS.nowAnswered] ? undefined : asked;
}

/** What a restart that begins now answers. */
export function openRequestOf(context: RolloutContext, workload: Workload): string | undefined {
  return openRequest(workload, controlsFor(context, workload));
}

/** A request of somebody whose workload has the current versions is over: it opens no window for versions to come. */
export async function answerIdleRequests(context: RolloutContext, asking: readonly AskingWorkload[], signal: AbortSignal): Promise<void> {
  for (const { workload, standing } of asking) {
    const answered = standing.kind === "current" ? openRequestOf(context, workload) : undefined;
    if (answered === undefined) continue;
    // What does not let it through costs the request its end, and nothing else.
    await attempt(context.writer, { workload, request: "record" }, () => recordAnswered(context.writer, { workload, answered }, signal));
  }
}

/** Milliseconds until time alone changes what is held, or ends the window of what is due; undefined where it never does. */
export function windowWait(context: RolloutContext, asking: readonly AskingWorkload[]): number | undefined {
  const now = context.worker.clock.now();
  const moments = asking.flatMap(({ workload, standing }) => {
    if (standing.kind === "held") return standing.hold.kind === "window" ? [standing.hold.opensAt] : [];
    if (standing.kind !== "due") return [];
    const { window } = controlsFor(context, workload);
    const state = window.ok ? windowAt(window.value, now) : undefined;
    return state?.isOpen === true ? [state.until] : [];
  });
  const next = Math.min(...moments);
  return Number.isFinite(next) ? Math.min(LONGEST_WAIT_MS, Math.max(0, next - now)) : undefined;
}
