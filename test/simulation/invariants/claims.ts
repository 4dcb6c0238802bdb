/** The conditions in statuses are true. */
import type { ClassStatus } from "../../../src/domain/sync/status-fields.ts";
import { keyOf, type WantedClass } from "../world/classes.ts";
import type { Team } from "../world/team.ts";
import { versionAt } from "../world/vaults.ts";
import { SYNC_USER, type World } from "../world/world.ts";
import { SLOWEST } from "./checked.ts";
import type { Invariant } from "./invariant.ts";
import { EDITED, fileContent, isActive, seenSecrets } from "./secrets.ts";

type Seen = ReturnType<typeof seenSecrets>;

const DEFAULT_MINUTES = 5;
const SLACK_MS = 5 * 60_000;

/** Returns the maximum age of a value that a status calls fresh (milliseconds): two intervals, and the time to update the status. */
function allowedMs({ intervalMinutes = DEFAULT_MINUTES }: WantedClass): number {
  return 2 * intervalMinutes * 60_000 * SLOWEST + SLACK_MS;
}

/**
 * If no worker has renewed the lease for this time, such as while the API server is away, there is no leader that could correct a status.
 */
const LAPSE_MS = 120_000;
/** A new leader catches up on missed polls for a minute before it corrects statuses. */
const TAKING_BACK_MS = 3 * 60_000;

interface Led {
  /** Virtual milliseconds. */
  renewedAt: number;
  /** Time since which the lease has not lapsed. */
  since: number;
}

const led = new WeakMap<World, Led>();

function observeLease(world: World): void {
  const seen: Led = { renewedAt: 0, since: 0 };
  led.set(world, seen);
  world.onWrite(({ resource, user, isDryRun }) => {
    if (resource !== "leases.coordination.k8s.io" || user !== SYNC_USER || isDryRun) return;
    const { now } = world.scheduler;
    if (now - seen.renewedAt > LAPSE_MS) seen.since = now;
    seen.renewedAt = now;
  });
}

function canTakeBack(world: World): boolean {
  const { renewedAt = 0, since = 0 } = led.get(world) ?? {};
  const { now } = world.scheduler;
  return now - renewedAt <= LAPSE_MS && now - since >= TAKING_BACK_MS;
}

function statusOf({ cluster }: World, namespace: string, name: string): ClassStatus | undefined {
  const object = cluster.server.object("secretproviderclasssyncs.keyvault-injector.dev", name, namespace);
  return object?.["status"] as ClassStatus | undefined;
}

function claimsFresh(status: ClassStatus | undefined): boolean {
  return ["Synced", "Fresh"].every((type) => status?.conditions.find((one) => one.type === type)?.status === "True");
}

function staleOf(world: World, team: Team, { wanted, seen }: { readonly wanted: WantedClass; readonly seen: Seen }): readonly string[] {
  if (!isActive(team, wanted) || !claimsFresh(statusOf(world, team.namespace, wanted.name))) return [];
  const moment = world.scheduler.now - allowedMs(wanted);
  if ((team.writtenAt.get(wanted.name) ?? 0) > moment) return [];
  return wanted.secrets.flatMap(({ name, keys }) => {
    const live = seen.get(`${team.namespace}/${name}`);
    if (live?.className !== wanted.name) return [];
    return keys.flatMap((index) => {
      const entry = wanted.entries[index];
      const object = entry === undefined ? undefined : team.vault.objects.get(entry.object);
      if (entry === undefined || object === undefined || entry.pinned !== undefined || object.changedAt > moment) return [];
      const value = fileContent(entry, versionAt(object, moment)?.value);
      const held = live.data[keyOf(entry)];
      // A value from an editor is not outdated, and the worker repairs it as soon as it sees it.
      if (object.state !== "enabled" || value === undefined || held === value || held === EDITED) return [];
      const since = (world.scheduler.now - object.changedAt) / 60_000;
      return [
        `${team.namespace}/${wanted.name} is called synced and fresh; ${entry.object} changed ${since.toFixed(0)} minutes ago, and ${name} holds ${held ?? "nothing"} instead of ${value}`,
      ];
    });
  });
}

export const statusesAreTrue: Invariant = {
  name: "Synced and Fresh are true",
  watch: observeLease,
  check: (world) => {
    if (!canTakeBack(world)) return [];
    const seen = seenSecrets(world);
    return world.teams.flatMap((team) => [...team.classes.values()].flatMap((wanted) => staleOf(world, team, { wanted, seen })));
  },
};
