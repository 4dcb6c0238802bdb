import { RESTART_ANNOTATIONS } from "../../domain/annotations.ts";
import { type Controls, controlsOf, holdOf, requestOf } from "../../domain/rollout/controls.ts";
import type { Hold } from "../../domain/rollout/hold.ts";
import type { Workload } from "../../domain/rollout/workload.ts";
import { timesOf, windowAt } from "../../domain/schedule/restart-window.ts";
import type { Breaths } from "../../runtime/breaths.ts";
import type { AskingWorkload } from "./asking.ts";
import { attempt } from "./own-requests.ts";
import { heldBy } from "./rollout-budgets.ts";
import type { RolloutContext } from "./rollout-context.ts";
import { stampOf } from "./rollout-versions.ts";
import { recordAnswered } from "./rollout-write.ts";

/** Longest wait in milliseconds. No timer, and no machine's clock, has to be right for longer. */
const LONGEST_WAIT_MS = 3_600_000;

/**
 * Units of event loop time for one time of a window, as {@link Breaths} counts them: a walk through a calendar, if the worker has not
 * evaluated the window yet.
 */
const UNITS_OF_A_TIME = 500;

/** Marks the due workloads that cannot be restarted now as held, with the reason. */
export function withHolds(asking: readonly AskingWorkload[], holds: ReadonlyMap<string, Hold>): readonly AskingWorkload[] {
  return asking.map((each) => {
    const hold = holds.get(each.workload.uid);
    return each.standing.kind !== "due" || hold === undefined ? each : { ...each, standing: heldBy(each.standing, hold) };
  });
}

/** Returns by uid the holds that keep due restarts from beginning. */
export async function holdsOf(
  context: RolloutContext,
  asking: readonly AskingWorkload[],
  breaths: Breaths,
): Promise<ReadonlyMap<string, Hold>> {
  const holds = new Map<string, Hold>();
  for (const { standing, workload } of asking) {
    if (standing.kind !== "due") continue;
    const namespace = defaultsFor(context, workload);
    const controls = controlsOf(workload, namespace, context.settings.controls);
    const hold = holdIn(context, workload, { namespace, controls });
    if (hold !== undefined) holds.set(workload.uid, hold);
    await breaths.spend(unitsOf(controls));
  }
  return holds;
}

/** Returns the hold that keeps the restart from beginning. `namespace`: project annotations of the workload's Namespace. */
export function holdBy(context: RolloutContext, workload: Workload, namespace: Readonly<Record<string, string>>): Hold | undefined {
  return holdIn(context, workload, { namespace, controls: controlsOf(workload, namespace, context.settings.controls) });
}

interface Said {
  readonly namespace: Readonly<Record<string, string>>;
  readonly controls: Controls;
}

function holdIn(context: RolloutContext, workload: Workload, { namespace, controls }: Said): Hold | undefined {
  const isRequested = openRequest(workload, namespace) !== undefined;
  return holdOf({ controls, isRequested, now: context.worker.clock.now() });
}

export const defaultsFor = ({ workloads }: RolloutContext, { ref }: Workload) => workloads.defaultsOf(ref.namespace ?? "");

function controlsFor(context: RolloutContext, workload: Workload): Controls {
  return controlsOf(workload, defaultsFor(context, workload), context.settings.controls);
}

/** Returns the units for the window, whether it was evaluated before or not, so that a reconcile takes the same course each time. */
function unitsOf({ window }: Controls): number {
  return UNITS_OF_A_TIME * Math.max(1, window.ok ? timesOf(window.value) : 0);
}

/** Returns the hash of a request that no restart has followed yet. A restart that follows the request records the hash. */
function openRequest(workload: Workload, namespace: Readonly<Record<string, string>>): string | undefined {
  const { own } = workload;
  const request = requestOf(workload, namespace);
  const asked = request === undefined ? undefined : stampOf(request);
  return asked === own[RESTART_ANNOTATIONS.nowAnswered] ? undefined : asked;
}

/** Returns the hash of the request that a restart answers if it begins now. */
export function openRequestOf(context: RolloutContext, workload: Workload): string | undefined {
  return openRequest(workload, defaultsFor(context, workload));
}

/**
 * Records a request as answered if its workload already has the current versions, so that the request opens no window for later versions.
 */
export async function answerIdleRequests(context: RolloutContext, asking: readonly AskingWorkload[], signal: AbortSignal): Promise<void> {
  for (const { workload, standing } of asking) {
    const answered = standing.kind === "current" ? openRequestOf(context, workload) : undefined;
    if (answered === undefined) continue;
    // If the API server rejects the record, only the request stays open.
    await attempt(context.writer, { workload, request: "record" }, () => recordAnswered(context.writer, { workload, answered }, signal));
  }
}

/**
 * Returns the time in milliseconds until time alone changes what is held, or ends the window of a due restart; undefined if it never does.
 */
export async function windowWait(
  context: RolloutContext,
  asking: readonly AskingWorkload[],
  breaths: Breaths,
): Promise<number | undefined> {
  const now = context.worker.clock.now();
  let next = Number.POSITIVE_INFINITY;
  for (const { workload, standing } of asking) {
    next = Math.min(next, heldUntil(standing));
    if (standing.kind !== "due") continue;
    const controls = controlsFor(context, workload);
    const state = controls.window.ok ? windowAt(controls.window.value, now) : undefined;
    if (state?.isOpen === true) next = Math.min(next, state.until);
    await breaths.spend(unitsOf(controls));
  }
  return Number.isFinite(next) ? Math.min(LONGEST_WAIT_MS, Math.max(0, next - now)) : undefined;
}

function heldUntil(standing: AskingWorkload["standing"]): number {
  return standing.kind === "held" && standing.hold.kind === "window" ? standing.hold.opensAt : Number.POSITIVE_INFINITY;
}
