/** Restarts of workloads: docs/how-to/restart-on-rotation.md. */
import type { JsonObject } from "../api/json.ts";
import { NOW_ANSWERED } from "../world/controls.ts";
import { RESTART_ON_ROTATION, ROTATED, type SimulatedPod, type SimulatedWorkload } from "../world/workloads.ts";
import { SYNC_USER, type World } from "../world/world.ts";
import { isHeld } from "./controls.ts";
import type { Invariant } from "./invariant.ts";
import { isLeftToItself, oldValues } from "./old-pods.ts";
import { REST_MS } from "./rest.ts";

const DEPLOYMENTS = "deployments.apps";

/**
 * Pods must be ready for ten seconds, measured by times in whole seconds. A worker whose clock catches up measures time at twice the pace.
 */
const STEADY_MS = 4_500;
/** The worker may still see a state that ended within this time. */
const SEEN_MS = 60_000;
/**
 * Half of `--rollout-timeout`, because a worker whose clock catches up measures time at twice the pace. After this time without progress,
 * the worker records a rollout with available pods as done, unless a container has restarted.
 */
const TIMEOUT_MS = 5 * 60_000;
/** The worker must have seen pods as ready that have been ready for this time. */
const SURELY_READY_MS = 2 * 60_000;

interface Deployment extends JsonObject {
  readonly metadata: { readonly uid: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: { readonly template: { readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> } } };
}

interface Seen {
  readonly uid: string;
  readonly asks: boolean;
  readonly templateStamp: string | undefined;
  readonly podsStamp: string | undefined;
  /** Everything that the worker may not change. */
  readonly rest: string;
}

function without(annotations: Readonly<Record<string, string>> | undefined): unknown {
  return Object.entries(annotations ?? {}).filter(([key]) => key !== ROTATED && key !== NOW_ANSWERED);
}

function seenOf({ metadata, spec }: Deployment): Seen {
  const { template } = spec;
  const annotations = template.metadata?.annotations;
  const rest = { ...spec, template: { ...template, metadata: { ...template.metadata, annotations: without(annotations) } } };
  return {
    uid: metadata.uid,
    asks: annotations?.[RESTART_ON_ROTATION] === "true",
    templateStamp: annotations?.[ROTATED],
    podsStamp: metadata.annotations?.[ROTATED],
    rest: JSON.stringify([without(metadata.annotations), rest]),
  };
}

/** Returns the part of a stamp that identifies the versions. */
export function versionsIn(stamp: string | undefined): string | undefined {
  return stamp?.replace(/-2$/, "");
}

interface Known {
  readonly namespace: string;
  readonly name: string;
  seen: Seen;
  /** The versions that the worker last recorded for the pods. */
  versions: string | undefined;
  /** Time at which the restart began for which other restarts wait; undefined if there is none. */
  restartedAt: number | undefined;
}

class Turns {
  readonly #world: World;
  readonly #violated: (text: string) => void;
  readonly #known = new Map<string, Known>();

  constructor(world: World, violated: (text: string) => void) {
    this.#world = world;
    this.#violated = violated;
  }

  note(user: string, namespace: string, name: string): void {
    const key = `${namespace}/${name}`;
    const object = this.#world.cluster.server.object(DEPLOYMENTS, name, namespace) as Deployment | undefined;
    if (object === undefined) {
      this.#known.delete(key);
      return;
    }
    const seen = seenOf(object);
    const known = this.#known.get(key);
    if (known?.seen.uid !== seen.uid) {
      this.#known.set(key, { namespace, name, seen, versions: undefined, restartedAt: undefined });
      return;
    }
    if (user === SYNC_USER) this.#noteOurs(key, known, seen);
    else noteTheirs(known, seen);
    known.seen = seen;
  }

  #noteOurs(key: string, known: Known, seen: Seen): void {
    if (seen.rest !== known.seen.rest) this.#violated(`the worker changes more of ${key} than its stamp`);
    if (!seen.asks) this.#violated(`the worker writes to ${key}, which asks for no restarts`);
    if (seen.templateStamp !== known.seen.templateStamp) this.#noteRestart(key, known, seen);
    else if (known.restartedAt !== undefined) this.#noteDone(key, known);
    known.versions = versionsIn(seen.podsStamp ?? seen.templateStamp);
  }

  #noteRestart(key: string, known: Known, { templateStamp, podsStamp }: Seen): void {
    if (versionsIn(templateStamp) === known.versions) this.#violated(`${key} is restarted twice for ${known.versions ?? ""}`);
    const { now } = this.#world.scheduler;
    if (podsStamp !== templateStamp) {
      const { completeSince } = this.#world.workloads.of(known.namespace, known.name) ?? {};
      if (completeSince !== undefined && now - completeSince > SURELY_READY_MS)
        this.#violated(`${key} is restarted out of turn, as if it had not been ready`);
      known.restartedAt = undefined;
      return;
    }
    for (const [other, { namespace, name, restartedAt }] of this.#known)
      if (
        other !== key &&
        namespace === known.namespace &&
        restartedAt !== undefined &&
        !isLeftToItself(this.#world, { namespace, name, restartedAt })
      )
        this.#violated(`${key} is restarted before the restart of ${other} is done`);
    known.restartedAt = now;
  }

  #noteDone(key: string, known: Known): void {
    const { now } = this.#world.scheduler;
    const workload = this.#world.workloads.of(known.namespace, known.name);
    const hasStopped = now - (known.restartedAt ?? now) >= TIMEOUT_MS;
    if (workload !== undefined && !hasStopped && !isSteady(workload, now)) this.#violated(`the restart of ${key} is called done too early`);
    known.restartedAt = undefined;
  }
}

function noteTheirs(known: Known, seen: Seen): void {
  if (seen.templateStamp !== known.seen.templateStamp) {
    known.versions = undefined;
    known.restartedAt = undefined;
  }
  if (!seen.asks) known.restartedAt = undefined;
}

function isSteady({ pods }: SimulatedWorkload, now: number): boolean {
  const isSteadyPod = ({ readyAt, wasReady }: SimulatedPod): boolean => {
    if (readyAt !== undefined && now - readyAt >= STEADY_MS) return true;
    return wasReady !== undefined && now - wasReady.until < SEEN_MS && wasReady.until - wasReady.from >= STEADY_MS;
  };
  return pods.length > 0 && pods.every(isSteadyPod);
}

export const restartsTakeTurns: Invariant = {
  name: "restarts one at a time, none twice for one version",
  watch: (world, violated) => {
    const turns = new Turns(world, violated);
    world.onWrite(({ resource, subresource, user, namespace = "", name, isDryRun }) => {
      if (resource === DEPLOYMENTS && subresource === "" && !isDryRun) turns.note(user, namespace, name);
    });
  },
};

function outdated(world: World, workload: SimulatedWorkload): readonly string[] {
  return !workload.asks || isHeld(world, workload, REST_MS) ? [] : oldValues(world, workload);
}

export const restartsReach: Invariant = {
  name: "at rest every workload that asks has the versions of its Secrets",
  atRest: (world) =>
    world.workloads.all().flatMap((workload) => {
      const { namespace, name, isComplete, pods } = workload;
      if (isComplete) return outdated(world, workload);
      // A container waits for its Secret if no class creates it.
      const waits = pods.some(({ startedWith }) => startedWith === undefined);
      return waits ? [] : [`${namespace}/${name} is not rolled out`];
    }),
};
