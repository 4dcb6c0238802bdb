/** Restarts of workloads whose versions are not in any Secret: docs/adr/0083-a-restart-waits-for-the-files.md. */
import { createHash } from "node:crypto";
import { haveRightClocks } from "../faults/machines.ts";
import type { WantedClass } from "../world/classes.ts";
import { type Files, filesOf, isSame } from "../world/driver.ts";
import type { Team } from "../world/team.ts";
import { ROTATED, type SimulatedPod, type SimulatedWorkload } from "../world/workloads.ts";
import { SYNC_USER, type World } from "../world/world.ts";
import { isHeld } from "./controls.ts";
import type { Invariant } from "./invariant.ts";
import { mountedBy, teamOf } from "./old-pods.ts";
import { REST_MS } from "./rest.ts";
import { versionsIn } from "./rollouts.ts";

const DEPLOYMENTS = "deployments.apps";

/** The worker may not have seen a newer record yet. */
const SEEN_MS = 90_000;

/** `--mounted-files-grace`, less the differences of clocks and times in whole seconds. */
const GRACE_MS = 10 * 60_000 - 10_000;

/** Number of the latest versions of each object that a restart can be for. */
const MOST_VERSIONS = 4;

/**
 * Allowance for the difference between the clocks of a vault and of the API server. The worker can assume that a pod that mounts within
 * this time has the newer version.
 */
const CLOCKS_MS = 10_000;

/** Computes the stamp as the worker does: a hash of sorted `type/name@version`. */
function stampOf(files: Files): string {
  const objects = [...files].map(([object, version]) => `${object}@${version}`).sort();
  return createHash("sha256").update(objects.join("\n")).digest("hex").slice(0, 16);
}

interface Combination {
  readonly files: Files;
  /** Time at which the youngest of its versions was created; virtual milliseconds. */
  readonly since: number;
}

/** Returns all combinations of recent versions that the class's files can have had. */
function combinations({ vault }: Team, { entries }: WantedClass): readonly Combination[] {
  let all: readonly Combination[] = [{ files: new Map(), since: 0 }];
  for (const { object, type } of entries) {
    const versions = (vault.objects.get(object)?.versions ?? []).slice(-MOST_VERSIONS);
    all = all.flatMap(({ files, since }) =>
      versions.map((one) => ({ files: new Map([...files, [`${type}/${object}`, one.version]]), since: Math.max(since, one.since) })),
    );
  }
  return all;
}

/** Returns the class that the workload mounts if it uses only this one class, and no Secrets. */
function mountedClass(team: Team, workload: SimulatedWorkload): WantedClass | undefined {
  const [wanted, ...more] = mountedBy(team, workload);
  return more.length > 0 || workload.secrets?.length !== 0 ? undefined : wanted;
}

function restartProblem(world: World, namespace: string, name: string): string | undefined {
  const { driver, scheduler, workloads } = world;
  const team = teamOf(world, namespace);
  const workload = workloads.of(namespace, name);
  const wanted = team === undefined || workload === undefined ? undefined : mountedClass(team, workload);
  if (team === undefined || workload === undefined || wanted === undefined || !haveRightClocks(world)) return undefined;
  const { now } = scheduler;
  // The previous edition of the class has other objects, so the restart may be for either edition.
  if (now - (team.writtenAt.get(wanted.name) ?? 0) < SEEN_MS) return undefined;
  const stamp = versionsIn(workload.templateStamp);
  const meant = combinations(team, wanted).find(({ files }) => stampOf(files) === stamp);
  if (meant === undefined || now - meant.since >= GRACE_MS) return undefined;
  const behind = workload.pods.filter((pod) => isBehind(pod, { records: driver.recordsOf(pod.uid), files: meant.files, now }));
  if (behind.length === 0) return undefined;
  return `${namespace}/${name} is restarted before the files of ${behind.map((pod) => pod.name).join(", ")} have the version`;
}

interface Judged {
  readonly records: ReturnType<World["driver"]["recordsOf"]>;
  readonly files: Files;
  readonly now: number;
}

/** Whether a pod that the worker must have seen as ready has no record with these files that the worker can have seen. */
function isBehind({ readyAt, wasReady }: SimulatedPod, { records, files, now }: Judged): boolean {
  const ranSince = wasReady?.from ?? readyAt;
  if (ranSince === undefined || now - ranSince < SEEN_MS) return false;
  const older = records.filter(({ at }) => at <= now - SEEN_MS).slice(-1);
  const seen = [...older, ...records.filter(({ at }) => at > now - SEEN_MS)];
  return !seen.some((record) => isSame(record.files, files));
}

export const filesComeFirst: Invariant = {
  name: "what is only mounted is restarted once all files of its pods have the version",
  watch: (world, violated) => {
    const stamps = new Map<string, string | undefined>();
    world.onWrite(({ resource, subresource, user, namespace = "", name, isDryRun }) => {
      if (resource !== DEPLOYMENTS || subresource !== "" || isDryRun) return;
      const key = `${namespace}/${name}`;
      const object = world.cluster.server.object(DEPLOYMENTS, name, namespace);
      const stamp = templateStampOf(object);
      const isRestart = user === SYNC_USER && stamp !== undefined && stamps.get(key) !== stamp;
      stamps.set(key, stamp);
      const problem = isRestart ? restartProblem(world, namespace, name) : undefined;
      if (problem !== undefined) violated(problem);
    });
  },
};

function templateStampOf(object: unknown): string | undefined {
  type Templated = { spec?: { template?: { metadata?: { annotations?: Readonly<Record<string, string>> } } } };
  return (object as Templated | undefined)?.spec?.template?.metadata?.annotations?.[ROTATED]; // As the API server stores a Deployment.
}

export const mountsAreCurrent: Invariant = {
  name: "at rest no pod runs that was started with an old version of what it only mounts",
  atRest: (world) =>
    world.workloads.all().flatMap((workload) => {
      const team = teamOf(world, workload.namespace);
      const wanted = team === undefined ? undefined : mountedClass(team, workload);
      if (team === undefined || wanted === undefined || !workload.asks || !workload.isComplete || isHeld(world, workload, REST_MS))
        return [];
      const now = filesOf(team, wanted);
      // A restart has no purpose if the files cannot be mounted.
      if (now === undefined) return [];
      const youngest = Math.max(...[...wanted.entries].map(({ object }) => team.vault.objects.get(object)?.versions.at(-1)?.since ?? 0));
      return workload.pods.flatMap(({ name, startedFiles, startedAt = 0 }) => {
        const started = startedFiles?.get(wanted.name);
        if (started === undefined || isSame(started, now) || Math.abs(startedAt - youngest) < CLOCKS_MS) return [];
        return [`${name} of ${workload.namespace}/${workload.name} was started before the latest version of what it mounts`];
      });
    }),
};
