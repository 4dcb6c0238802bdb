/** The time for which a class without pods keeps its Secrets. */

import { API_HOST } from "../world/cluster.ts";
import type { Team } from "../world/team.ts";
import { SYNC_USER, type World } from "../world/world.ts";
import type { Invariant } from "./invariant.ts";

/** Half of the worker's grace, because the worker's clock runs at twice the pace while it catches up (milliseconds). */
const LEAST_GRACE_MS = 150_000;

/** The worker may have decided on the deletion before the last pod came. */
const ON_ITS_WAY_MS = 15_000;

/** Returns the `while-used` class that lists the Secret. */
function whileUsedClassOf({ classes }: Team, secret: string): string | undefined {
  return [...classes.values()].find(({ sync, secrets }) => sync === "while-used" && secrets.some(({ name }) => name === secret))?.name;
}

const isOfPods = ({ host, path }: { readonly host: string; readonly path: string }): boolean =>
  host === API_HOST && /^\/api\/v1\/(namespaces\/[^/]+\/)?pods\?/.test(path);

/**
 * Returns a function that reports whether some replica has seen all changes of pods. A replica has not seen them from the break of its
 * watch until it lists the pods again.
 */
function watchesPods(world: World): () => boolean {
  const broken = new Set<string>();
  world.onEnded(({ message, how, status }) => {
    const { machine, path } = message;
    if (machine === undefined || !isOfPods(message)) return;
    if (!path.includes("watch=true")) {
      if (how === "answered" && status === 200) broken.delete(machine.name);
    } else if (how !== "answered" || status !== 200) broken.add(machine.name);
  });
  return () => broken.size === 0 || world.replicas.every(({ machine }) => machine === undefined || !broken.has(machine.name));
}

export const unusedKeepsGrace: Invariant = {
  name: "a class keeps its Secrets for the grace after its last pod",
  watch: (world, violated) => {
    const isSeen = watchesPods(world);
    world.onWrite(({ user, resource, namespace = "", name, verb, isDryRun }) => {
      if (user !== SYNC_USER || resource !== "secrets" || verb !== "delete" || isDryRun || !isSeen()) return;
      const team = world.teams.find((each) => each.namespace === namespace);
      const className = team === undefined ? undefined : whileUsedClassOf(team, name);
      const usedUntil = team?.usedUntil.get(className ?? "");
      if (className === undefined || usedUntil === undefined) return;
      const unused = world.scheduler.now - usedUntil;
      if (unused > ON_ITS_WAY_MS && unused < LEAST_GRACE_MS)
        violated(`${namespace}/${name} is deleted ${(unused / 1_000).toFixed(0)} s after the last pod of ${className} ended`);
    });
  },
};
