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

/** Nobody's timer has to be right for longer, nor a machine's clock (milliseconds). */
const LONGEST_WAIT_MS = 3_600_000;

/** Of the event loop's time, as {@link Breaths} counts it: a walk through a calendar, where its window was not looked at yet. */
const UNITS_OF_A_TIME = 500;

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
    const namespace = defaultsFor(context, workload);
    const controls = controlsOf(workload, namespace, context.settings.controls);
    const hold = holdIn(context, workload, { namespace, controls });
    if (hold !== undefined) holds.set(workload.uid, hold);
    await breaths.spend(unitsOf(controls));
  }
  return holds;
}

/** `namespace`: annotations of ours on its Namespace. */
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

const defaultsFor = ({ workloads }: RolloutContext, { ref }: Workload) => workloads.defaultsOf(ref.namespace ?? "");

function controlsFor(context: RolloutContext, workload: Workload): Controls {
  return controlsOf(workload, defaultsFor(context, workload), context.settings.controls);
}

/** Whether it was looked at before or not, so that a look takes the same course each time. */
function unitsOf({ window }: Controls): number {
  return UNITS_OF_A_TIME * Math.max(1, window.ok ? timesOf(window.value) : 0);
}

/** Hash of a request that was not followed yet: what follows it records that. */
function openRequest(workload: Workload, namespace: Readonly<Record<string, string>>): string | undefined {
  const { own } = workload;
  const request = requestOf(workload, namespace);
  const asked = request === undefined ? undefined : stampOf(request);
  return asked === own[RESTART_ANNOTATIONS.nowAnswered] ? undefined : asked;
}

/** What a restart that begins now answers. */
export function openRequestOf(context: RolloutContext, workload: Workload): string | undefined {
  return openRequest(workload, defaultsFor(context, workload));
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
