/** Requests to a vault when nothing changes. */

import { PAGE_SIZE } from "../../../tools/key-vault-emulator/vault/page.ts";
import type { WantedEntry } from "../world/classes.ts";
import { GREEDY } from "../world/greedy.ts";
import type { Team } from "../world/team.ts";
import type { World } from "../world/world.ts";
import type { Invariant } from "./invariant.ts";
import { REST_MS } from "./rest.ts";
import { expected } from "./secrets.ts";

interface Asked {
  readonly at: number;
  readonly vault: string;
  readonly object: string;
  /** Id of the version; undefined: the latest. */
  readonly version: string | undefined;
  readonly identity: string;
}

const known = new WeakMap<World, Asked[]>();

/** Returns the object if the path is that of a secret, or of a version of any object. Otherwise returns undefined. */
function objectOf(path: string): Pick<Asked, "object" | "version"> | undefined {
  const [, kind, object, version] = /^\/(secrets|certificates|keys)\/([^/]+)(?:\/([0-9a-f]{32})?)?$/.exec(path) ?? [];
  if (object === undefined || (kind !== "secrets" && version === undefined)) return undefined;
  return { object, version };
}

/**
 * Lists show the objects that have changed. Only two kinds of callers request an unchanged object: an identity that may not list the vault,
 * and a class that waits for one of its objects.
 */
export const listsAreEnough: Invariant = {
  name: "at rest a vault that may be listed is asked for nothing but lists",
  watch: (world) => {
    const asked: Asked[] = [];
    known.set(world, asked);
    world.onCloudRequest(({ host, path, status, identity }) => {
      const found = objectOf(path);
      if (found === undefined || identity === undefined || status === 401) return;
      asked.push({ at: world.scheduler.now, vault: host.split(".")[0] ?? "", ...found, identity });
      if (asked.length > 4_000) asked.splice(0, 2_000);
    });
  },
  atRest: (world) => {
    // A blind worker needs all values. The greedy tenant's vault has many pages of other objects, so the worker does not list it for a few
    // objects.
    if (world.isBlind) return [];
    const large = world.teams.find(({ namespace }) => namespace === GREEDY)?.vault.name;
    const since = world.scheduler.now - REST_MS;
    const late = (known.get(world) ?? []).filter(({ at }) => at > since);
    return world.teams.flatMap((team) => {
      const { namespace, application, vault } = team;
      if (!application.mayList || vault.name === large || hasMorePagesThanWanted(team)) return [];
      const ours = late.filter((each) => each.identity === application.appId && each.vault === vault.name);
      const waiting = new Set([...awaited(team), ...besidePinned(team, ours)]);
      const needless = ours.filter(({ version }) => version === undefined);
      const names = [...new Set(needless.map(({ object }) => object))].filter(
        (name) => vault.objects.get(name)?.state === "enabled" && !waiting.has(name),
      );
      return names.length === 0 ? [] : [`${namespace} asks for ${names.join(", ")}, which ${vault.name} has not changed`];
    });
  },
};

/** Whether requests for the objects that the classes name cost less than a list. */
function hasMorePagesThanWanted({ classes, mounted, vault }: Team): boolean {
  const wanted = [...classes.values(), ...mounted.values()].flatMap(({ entries }) => entries.map(({ object }) => object));
  return vault.objects.size / PAGE_SIZE > new Set(wanted).size;
}

/** Returns the objects of classes that wait for one of them: the worker writes a Secret with all of its objects or not at all. */
function awaited({ classes, mounted, vault }: Team): ReadonlySet<string> {
  const waiting = [...classes.values(), ...mounted.values()].filter(({ entries }) =>
    entries.some((entry) => expected(entry, vault.objects.get(entry.object)) === undefined),
  );
  return new Set(waiting.flatMap(({ entries }) => entries.map(({ object }) => object)));
}

/**
 * Returns the objects of Secrets that contain a pinned version. Once a day, the worker requests such a version, and with it all objects of
 * its Secret. An object that the worker requests twice at rest is not part of this daily check.
 */
function besidePinned({ classes }: Team, asked: readonly Asked[]): ReadonlySet<string> {
  const isChecked = ({ object, pinned }: WantedEntry): boolean =>
    pinned !== undefined && asked.filter((each) => each.object === object && each.version === pinned).length === 1;
  const made = [...classes.values()].flatMap(({ entries, secrets }) =>
    secrets.map(({ keys }) => keys.flatMap((index) => entries[index] ?? [])).filter((sources) => sources.some(isChecked)),
  );
  return new Set(made.flat().map(({ object }) => object));
}
