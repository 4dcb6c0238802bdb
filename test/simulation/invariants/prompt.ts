/** A tenant with few requests gets its Secrets at once, even if others send many requests to the same vault. */
import { canonicalJson } from "../api/json.ts";
import { keyOf, type WantedClass } from "../world/classes.ts";
import { GREEDY } from "../world/greedy.ts";
import type { Team } from "../world/team.ts";
import type { VaultObject } from "../world/vaults.ts";
import { SYNC_USER, type World } from "../world/world.ts";
import type { Invariant } from "./invariant.ts";
import { quickScopesOf, troublesOf } from "./path-health.ts";
import { expected, isPolled, seenSecrets } from "./secrets.ts";

/**
 * Maximum time from the write of a class to its Secrets, while every answer on the way comes within a second. It is shorter than the time
 * to serve all requests of a greedy neighbor's first turn.
 */
export const PROMPT_MS = 8_000;

/**
 * Longest poll interval, for which the worker believes a refusal that a poll met (docs/adr/0022-known-refusals-last-one-interval.md). It does
 * not know that an object has been enabled since.
 */
const BELIEVED_MS = 60 * 60_000;

const CLASSES = "secretproviderclasses.secrets-store.csi.x-k8s.io";

interface Written {
  readonly team: Team;
  readonly wanted: WantedClass;
  readonly at: number;
  readonly hasChanged: (secret: string) => boolean;
}

function lateOf(world: World, { team, wanted, at, hasChanged }: Written): readonly string[] {
  const isStill = team.classes.get(wanted.name) === wanted && isPolled(world, team, wanted);
  if (!isStill) return [];
  const secrets = seenSecrets(world);
  return wanted.secrets.flatMap(({ name, keys }) => {
    const entries = keys.flatMap((index) => wanted.entries[index] ?? []);
    const objects = entries.flatMap(({ object }) => team.vault.objects.get(object) ?? []);
    const values = entries.map((entry) => expected(entry, team.vault.objects.get(entry.object)));
    const mayBeUnknown = ({ changedAt, versions }: VaultObject): boolean =>
      changedAt >= at || (changedAt >= at - BELIEVED_MS && changedAt > (versions.at(-1)?.since ?? 0));
    if (values.includes(undefined) || objects.some(mayBeUnknown) || hasChanged(name)) return [];
    const live = secrets.get(`${team.namespace}/${name}`)?.data ?? {};
    if (entries.every((entry, index) => live[keyOf(entry)] === values[index])) return [];
    return [`${team.namespace}/${name} is not what ${wanted.name} says ${PROMPT_MS / 1_000} s after it was written`];
  });
}

/** Maximum time for which a request waits for its answer. */
const LONGEST_WAIT_MS = 90_000;

/** Any problem is an excuse here. Another invariant limits how long a problem may last. */
function wasHindered(world: World, { team, at }: Written): boolean {
  return troublesOf(world).healthyMs(quickScopesOf(team), at, at + PROMPT_MS) < PROMPT_MS;
}

export const littleIsPrompt: Invariant = {
  name: "who asks for little is not held up by others",
  watch: (world, violated) => {
    troublesOf(world);
    const touched = new Map<string, number>();
    const observed = new WeakSet<WantedClass>();
    const specs = new Map<string, string>();
    /**
     * Whether the class differs from its last edition. Otherwise the write does not make the worker query the vault, and an object that
     * changed before the write waits for its poll.
     */
    const saysSomethingElse = ({ namespace, name }: WantedClass): boolean => {
      const key = `${namespace}/${name}`;
      const object = world.cluster.server.object(CLASSES, name, namespace);
      if (object === undefined) return true;
      // Compares the spec, and not the uid, the generation, or the order of fields: a class that the worker restored has different ones,
      // but the same spec.
      const spec = canonicalJson(object["spec"] ?? null);
      const isNew = specs.get(key) !== spec;
      specs.set(key, spec);
      return isNew;
    };
    const check = (): void => {
      for (const team of world.teams) {
        if (team.namespace === GREEDY) continue;
        for (const wanted of team.classes.values()) {
          const at = team.writtenAt.get(wanted.name) ?? 0;
          if (observed.has(wanted)) continue;
          observed.add(wanted);
          if (!saysSomethingElse(wanted)) continue;
          const hasChanged = (secret: string): boolean => (touched.get(`${team.namespace}/${secret}`) ?? -1) >= at;
          const written: Written = { team, wanted, at, hasChanged };
          const check = (): void => {
            const late = lateOf(world, written);
            if (late.length === 0) return;
            // A request that is on its way all this time counts as slow only when it ends.
            world.scheduler.schedule(LONGEST_WAIT_MS, () => {
              if (!wasHindered(world, written)) for (const text of late) violated(text);
            });
          };
          world.scheduler.schedule(at + PROMPT_MS - world.scheduler.now, check);
        }
      }
    };
    world.onWrite(({ resource, user, namespace = "", name, isDryRun }) => {
      if (isDryRun) return;
      if (resource === "secrets" && user !== SYNC_USER) touched.set(`${namespace}/${name}`, world.scheduler.now);
      // The author updates the team's classes after the write.
      if (resource === CLASSES && user === "author") world.scheduler.schedule(0, check);
    });
    world.scheduler.schedule(0, () => {
      // The classes that exist at the start wait for the first leader.
      for (const team of world.teams)
        for (const wanted of team.classes.values()) {
          observed.add(wanted);
          saysSomethingElse(wanted);
        }
    });
  },
};
