/** Times of restarts, and their number: docs/how-to/restart-on-rotation.md. */
import { haveRightClocks } from "../faults/machines.ts";
import { type Controls, controlsIn, isOpen, lastOpening } from "../world/controls.ts";
import { ROTATED, type SimulatedWorkload } from "../world/workloads.ts";
import { SYNC_USER, type World } from "../world/world.ts";
import type { Invariant } from "./invariant.ts";
import { isLeftToItself } from "./old-pods.ts";

const DEPLOYMENTS = "deployments.apps";

/** Maximum delay between the decision to restart, within the window, and the write. */
const LATE_MS = 60_000;

/** The worker has seen a state that has lasted for this time. */
const SEEN_MS = 90_000;

/** After this time without progress, a restart blocks only its own namespace, and not the cluster. */
const TIMEOUT_MS = 5 * 60_000;

/** Time from the opening of a window until the worker has checked the workload, and restarted the workloads before it. */
const BEGINS_WITHIN_MS = 8 * 60_000;

interface Written {
  readonly uid: string;
  readonly templateStamp: string | undefined;
  readonly podsStamp: string | undefined;
  readonly controls: Controls;
}

type Annotated = {
  readonly metadata: { readonly uid: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: { readonly template: { readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> } } };
};

function writtenOf({ metadata, spec }: Annotated): Written {
  const controls = controlsIn(metadata.annotations);
  return {
    uid: metadata.uid,
    templateStamp: spec.template.metadata?.annotations?.[ROTATED],
    podsStamp: metadata.annotations?.[ROTATED],
    controls,
  };
}

/** One restart, at the moment of its write. */
interface Restart {
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  readonly before: Written | undefined;
  readonly after: Written;
}

/** Calls `onRestart` for each restart by the worker, and `onOther` for each other write of a Deployment. */
function watchRestarts(
  world: World,
  onRestart: (restart: Restart) => void,
  onOther: (key: string, now: Written | undefined) => void,
): void {
  const known = new Map<string, Written>();
  world.onWrite(({ resource, subresource, user, namespace = "", name, isDryRun }) => {
    if (resource !== DEPLOYMENTS || subresource !== "" || isDryRun) return;
    const key = `${namespace}/${name}`;
    const object = world.cluster.server.object(DEPLOYMENTS, name, namespace) as Annotated | undefined; // As the API server stores it.
    const before = known.get(key);
    const after = object === undefined ? undefined : writtenOf(object);
    if (after === undefined) known.delete(key);
    else known.set(key, after);
    const isRestart = user === SYNC_USER && after?.templateStamp !== undefined && after.templateStamp !== before?.templateStamp;
    if (isRestart && before?.uid === after.uid) onRestart({ key, namespace, name, before, after });
    else onOther(key, after);
  });
}

/** Whether the owner requested this restart: the write that restarts also answers the request. */
function isRequested({ before, after }: Restart): boolean {
  return before?.controls.answered !== after.controls.answered;
}

export const restartsKeepHours: Invariant = {
  name: "no restart outside its window, or while it is paused",
  watch: (world, violated) => {
    const onRestart = (restart: Restart): void => {
      const { key, after } = restart;
      const { window, isPaused } = after.controls;
      const { now } = world.scheduler;
      // The API server refuses the write if the workload has changed since, so a pause counts immediately.
      if (isPaused) violated(`${key} is restarted while restarts of it are paused`);
      // A leader whose clock was wrong can misjudge the window until its clock is right again.
      const isExcused = isRequested(restart) || !haveRightClocks(world);
      if (window === undefined || isExcused || isOpen(window, now) || isOpen(window, now - LATE_MS)) return;
      violated(`${key} is restarted outside its window`);
    };
    watchRestarts(world, onRestart, () => undefined);
  },
};

export const restartsStayFew: Invariant = {
  name: "no more restarts at once than the cluster allows",
  watch: (world, violated) => {
    const underWay = new Map<string, number>();
    const onRestart = ({ key, after }: Restart): void => {
      const { now } = world.scheduler;
      if (after.podsStamp !== after.templateStamp) {
        underWay.delete(key);
        return;
      }
      underWay.set(key, now);
      const counted = [...underWay]
        .filter(([each, at]) => now - at < TIMEOUT_MS && (each === key || isWaitedFor(world, each, at)))
        .map(([each]) => each);
      if (counted.length > (world.maxRollouts ?? Number.POSITIVE_INFINITY))
        violated(`${counted.join(", ")} are restarted at once, and ${world.maxRollouts ?? ""} may be`);
    };
    watchRestarts(world, onRestart, (key, now) => {
      if (now === undefined || now.podsStamp !== now.templateStamp) underWay.delete(key);
    });
  },
};

/** Whether other restarts wait for the end of this one. */
function isWaitedFor(world: World, key: string, restartedAt: number): boolean {
  const [namespace = "", name = ""] = key.split("/");
  return world.workloads.of(namespace, name)?.asks === true && !isLeftToItself(world, { namespace, name, restartedAt });
}

export const restartsKeepBudgets: Invariant = {
  name: "no restart where a PodDisruptionBudget allows none",
  watch: (world, violated) => {
    const { budgets } = world;
    if (budgets === undefined) return;
    const onRestart = ({ key, namespace, name, before, after }: Restart): void => {
      const exhaustedSince = budgets.of(namespace, name)?.exhaustedSince;
      // A PodDisruptionBudget does not protect pods that are not ready or already restarting.
      const wasReady =
        after.podsStamp === after.templateStamp && (before?.podsStamp === undefined || before.podsStamp !== before.templateStamp);
      const isExhausted = exhaustedSince !== undefined && world.scheduler.now - exhaustedSince > SEEN_MS;
      if (wasReady && isExhausted) violated(`${key} is restarted although its PodDisruptionBudget has allowed no disruption`);
    };
    watchRestarts(world, onRestart, () => undefined);
  },
};

/** Whether, at rest, the workload can still be without its latest versions. */
export function isHeld(world: World, { namespace, name, controls }: SimulatedWorkload, restMs: number): boolean {
  const { now } = world.scheduler;
  // After a restart that failed, such as one whose pods wait for a Secret that no class creates, none of the namespace begins.
  const others = world.workloads.all().filter((each) => each.namespace === namespace && each.name !== name);
  if (others.some(isUnderWay)) return true;
  if (controls.isPaused || world.budgets?.of(namespace, name)?.exhaustedSince !== undefined) return true;
  if (controls.window === undefined) return false;
  const opened = lastOpening(controls.window, now);
  return now - opened < BEGINS_WITHIN_MS || now - opened > restMs;
}

/** Whether others wait for its restart: the worker records the same stamp for the Deployment and its pods, and a different one at the end. */
function isUnderWay({ asks, isComplete, templateStamp, podsStamp }: SimulatedWorkload): boolean {
  return asks && !isComplete && templateStamp !== undefined && podsStamp === templateStamp;
}
