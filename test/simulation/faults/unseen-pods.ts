/** Pods that come and go while the worker cannot see pods. */
import type { Message } from "../network/fabric.ts";
import type { Random } from "../time/random.ts";
import { endPod, startPod } from "../users/pods.ts";
import { API_HOST } from "../world/cluster.ts";
import type { Team } from "../world/team.ts";
import type { World } from "../world/world.ts";
import type { FaultKind } from "./fault.ts";

/** Grace of a class without pods, as in the replicas' settings (milliseconds). */
const GRACE_MS = 300_000;

function isWatchOfPods({ host, path }: Message): boolean {
  return host === API_HOST && path.includes("watch=true") && /^\/api\/v1\/(namespaces\/[^/]+\/)?pods\?/.test(path);
}

function anyWhileUsed({ teams }: World, random: Random): { readonly team: Team; readonly className: string } | undefined {
  const all = teams.flatMap((team) =>
    [...team.classes.values()].flatMap(({ name, sync }) => (sync === "while-used" ? [{ team, className: name }] : [])),
  );
  return all.length === 0 ? undefined : random.pick(all);
}

/**
 * Ends the watch of pods, and refuses a new one until the caller calls the returned function. This function then compacts the history, so
 * that a client cannot resume the watch.
 */
export function breakWatch(world: World): () => void {
  const refuse = (message: Message) => (isWatchOfPods(message) ? ({ kind: "resetBefore", there: 1 } as const) : undefined);
  world.weathers.add(refuse);
  world.fabric.cut(isWatchOfPods, "reset");
  return () => {
    if (world.weathers.delete(refuse)) world.cluster.server.compact();
  };
}

export const unseenPodFaults: readonly FaultKind[] = [
  {
    name: "a job comes and goes while the watch of pods is broken, shortly before its class's grace is over",
    longestMs: 2 * GRACE_MS,
    begin: (world, random) => {
      const found = anyWhileUsed(world, random);
      if (found === undefined) return undefined;
      const { team, className } = found;
      const ends: (() => void)[] = [];
      const later = (milliseconds: number, action: () => void): void => {
        const scheduled = world.scheduler.schedule(milliseconds, action);
        ends.push(() => scheduled.cancel());
      };
      // The last pod goes after the worker has created the Secrets.
      startPod(world, found, random);
      const gone = random.between(60_000, 120_000);
      const broken = gone + GRACE_MS - random.between(70_000, 100_000);
      let job: string | undefined;
      later(gone, () => {
        for (const [pod, mounts] of team.pods) if (mounts === className) endPod(world, team, pod);
      });
      later(broken, () => ends.push(breakWatch(world)));
      later(broken + 5_000, () => {
        job = startPod(world, found, random);
      });
      later(broken + random.between(30_000, 40_000), () => {
        if (job !== undefined && team.pods.has(job)) endPod(world, team, job);
      });
      const endAll = (): void => {
        for (const end of ends) end();
      };
      later(broken + 50_000, endAll);
      return endAll;
    },
  },
];
