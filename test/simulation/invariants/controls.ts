/** When workloads may be restarted, and how many at once: docs/how-to/restart-on-rotation.md. */
import { haveRightClocks } from "../faults/machines.ts";
import { type Controls, controlsIn, isOpen, lastOpening } from "../world/controls.ts";
import { ROTATED, type SimulatedWorkload } from "../world/workloads.ts";
import { SYNC_USER, type World } from "../world/world.ts";
import type { Invariant } from "./invariant.ts";
import { isLeftToItself } from "./old-pods.ts";

const DEPLOYMENTS = "deployments.apps";

/** A restart that was decided within the window may arrive so much later. */
const LATE_MS = 60_000;

/** What was so for that long is what the worker saw. */
const SEEN_MS = 90_000;

/** A restart that comes no further for so long holds up its own namespace, and not the cluster. */
const TIMEOUT_MS = 5 * 60_000;

/** Of a window: what it takes to look, and to restart those before. */
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

/** Calls back for each restart of the worker's. */
function watchRestarts(
  world: World,
  onRestart: (restart: Restart) => void,
  onOther: (key: string, now: Written | undefined) => void,
): void {
  const known = new Map<string, Written>();
  world.onWrite(({ resource, subresource, user, namespace = "", name, isDryRun }) => {
    if (resource !== DEPLOYMENTS || subresource !== "" || isDryRun) return;
    const key = `${namespace}/${name}`;
    const object = world.cluster.server.object(DEPLOYMENTS, name, namespace) as Annotated | undefined; // As it is stored.
    const before = known.get(key);
    const after = object === undefined ? undefined : writtenOf(object);
    if (after === undefined) known.delete(key);
    else known.set(key, after);
    const isRestart = user === SYNC_USER && after?.templateStamp !== undefined && after.templateStamp !== before?.templateStamp;
    if (isRestart && before?.uid === after.uid) onRestart({ key, namespace, name, before, after });
    else onOther(key, after);
  });
}

/** It is followed by the write that restarts. */
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
      // The write is refused where the workload has changed since: a pause counts from its very moment.
      if (isPaused) violated(`${key} is restarted while restarts of it are paused`);
      // Whose clock was wrong takes another time for now, until it is right again.
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

/** Whether others wait for the end of its restart. */
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
      // What is not ready, or in the middle of a restart, has nothing that a budget keeps.
      const wasReady =
        after.podsStamp === after.templateStamp && (before?.podsStamp === undefined || before.podsStamp !== before.templateStamp);
      const isExhausted = exhaustedSince !== undefined && world.scheduler.now - exhaustedSince > SEEN_MS;
      if (wasReady && isExhausted) violated(`${key} is restarted although its PodDisruptionBudget has allowed no disruption`);
    };
    watchRestarts(world, onRestart, () => undefined);
  },
};

/** At rest: whether nobody can expect the workload to have the versions that it would get. */
export function isHeld(world: World, { namespace, name, controls }: SimulatedWorkload, restMs: number): boolean {
  const { now } = world.scheduler;
  if (controls.isPaused || world.budgets?.of(namespace, name)?.exhaustedSince !== undefined) return true;
  if (controls.window === undefined) return false;
  const opened = lastOpening(controls.window, now);
  return now - opened < BEGINS_WITHIN_MS || now - opened > restMs;
}
