/** The effect of vault events: docs/adr/0090-events-are-hints.md. */
import type { SentEvent } from "../queues/event-grid.ts";
import { keyOf, type WantedClass, type WantedSecret } from "../world/classes.ts";
import type { Team } from "../world/team.ts";
import { SYNC_USER, type World } from "../world/world.ts";
import type { Invariant } from "./invariant.ts";
import { identityScope, QUEUE, quickScopesOf, SIGN_INS, troublesOf } from "./path-health.ts";
import { expected, isActive, isPolled, seenSecrets } from "./secrets.ts";

/**
 * Maximum time from an event in the queue until its version is in a Secret, while everything works. It covers a read of the queue, which is
 * slow in most worlds, the messages of a storm before it, and the turn of the class.
 */
export const ARRIVES_MS = 60_000;

/** After the vault or the API server has not answered for this time, the worker leaves the change to the regular poll. */
const LEFT_TO_POLL_MS = 9 * 60_000;

interface Awaited {
  readonly team: Team;
  readonly wanted: WantedClass;
  readonly secret: WantedSecret;
  readonly event: SentEvent;
  /** Virtual milliseconds. */
  readonly at: number;
}

/** Maximum time of a thread's task. */
const LONGEST_TASK_MS = 10_000;

interface Waiting {
  /** Time at which a thread last did not answer; virtual milliseconds. */
  threadFailedAt: number;
  awaited: readonly Awaited[];
  /** Time at which anyone other than the worker last wrote a Secret, by `namespace/name`. */
  readonly touched: Map<string, number>;
}

const known = new WeakMap<World, Waiting>();

function observe(world: World): void {
  const waiting: Waiting = { awaited: [], touched: new Map(), threadFailedAt: Number.NEGATIVE_INFINITY };
  known.set(world, waiting);
  troublesOf(world);
  world.onWrite(({ resource, user, namespace = "", name, isDryRun }) => {
    if (resource === "secrets" && user !== SYNC_USER && !isDryRun) waiting.touched.set(`${namespace}/${name}`, world.scheduler.now);
  });
  world.threads.onTrouble(() => {
    waiting.threadFailedAt = world.scheduler.now;
  });
  world.events?.grid.onDelivered((event) => {
    waiting.awaited = [...waiting.awaited, ...awaitedOf(world, event)];
  });
}

function awaitedOf({ teams, scheduler }: World, event: SentEvent): readonly Awaited[] {
  return teams
    .filter(({ vault }) => vault.name === event.vault)
    .flatMap((team) =>
      [...team.classes.values()]
        .filter((wanted) => isActive(team, wanted))
        .flatMap((wanted) =>
          wanted.secrets
            .filter(({ keys }) => keys.some((index) => isLatestOf(wanted, index, event.object)))
            .map((secret) => ({ team, wanted, secret, event, at: scheduler.now })),
        ),
    );
}

function isLatestOf({ entries }: WantedClass, index: number, object: string): boolean {
  const entry = entries[index];
  return entry !== undefined && entry.object === object && entry.pinned === undefined;
}

/** Whether the worker still has to put the version of the event into the Secret. */
function isStillAwaited(world: World, { touched, threadFailedAt }: Waiting, { team, wanted, secret, event, at }: Awaited): boolean {
  // If decoding fails, the worker blames the object, and tries again at the class's poll.
  if (threadFailedAt >= at - LONGEST_TASK_MS) return false;
  const object = team.vault.objects.get(event.object);
  const reported = object?.versions.at(-1);
  const isSame = reported?.version === event.version && object?.changedAt === reported.since && object.state === "enabled";
  const isAsItWas =
    team.classes.get(wanted.name) === wanted && (team.writtenAt.get(wanted.name) ?? 0) <= at && isPolled(world, team, wanted);
  return isSame && isAsItWas && !event.isLost && (touched.get(`${team.namespace}/${secret.name}`) ?? 0) < at;
}

/**
 * Whether the Secret has the value of the event's object, or cannot have it because the vault does not provide one of its objects. Another
 * object that changed since may have no event of its own.
 */
function hasArrived(secrets: ReturnType<typeof seenSecrets>, { team, wanted, secret, event }: Awaited): boolean {
  const entries = secret.keys.flatMap((index) => wanted.entries[index] ?? []);
  const values = entries.map((entry) => ({ entry, value: expected(entry, team.vault.objects.get(entry.object)) }));
  const live = secrets.get(`${team.namespace}/${secret.name}`)?.data ?? {};
  if (values.some(({ value }) => value === undefined)) return true;
  return values.every(({ entry, value }) => entry.object !== event.object || live[keyOf(entry)] === value);
}

/**
 * Returns the healthy seconds since the event; undefined if they are not too many, or if problems lasted so long that the worker left the
 * change to the poll.
 */
function lateSeconds(world: World, { team, at }: Awaited): number | undefined {
  const troubles = troublesOf(world);
  const { now } = world.scheduler;
  const scopes = [...quickScopesOf(team), QUEUE, SIGN_INS, identityScope(world.events?.appId ?? "")];
  const healthy = troubles.healthyMs(scopes, at, now);
  const hindered = now - at - troubles.healthyMs(quickScopesOf(team), at, now);
  return healthy > ARRIVES_MS && hindered < LEFT_TO_POLL_MS ? Math.round(healthy / 1_000) : undefined;
}

export const eventsArrive: Invariant = {
  name: "the version that an event tells of is in its Secrets soon, however far their poll is",
  watch: observe,
  check: (world) => {
    const waiting = known.get(world);
    if (waiting === undefined || waiting.awaited.length === 0) return [];
    const secrets = seenSecrets(world);
    waiting.awaited = waiting.awaited.filter((awaited) => isStillAwaited(world, waiting, awaited) && !hasArrived(secrets, awaited));
    return waiting.awaited.flatMap((awaited) => {
      const seconds = lateSeconds(world, awaited);
      if (seconds === undefined) return [];
      const { team, wanted, secret, event } = awaited;
      const what = `${event.vault}/${event.object}`;
      return [
        `${team.namespace}/${secret.name} of ${wanted.name} lacks what an event told of ${what}, after ${seconds} s in which all worked`,
      ];
    });
  },
};
