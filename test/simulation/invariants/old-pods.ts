/** The pods of a workload that started with older versions than they would get now. */
import type { WantedClass } from "../world/classes.ts";
import { filesOf, isSame } from "../world/driver.ts";
import type { Team } from "../world/team.ts";
import type { SimulatedWorkload } from "../world/workloads.ts";
import type { World } from "../world/world.ts";
import { textOf } from "./secrets.ts";

export function teamOf({ teams }: Pick<World, "teams">, namespace: string): Team | undefined {
  return teams.find((team) => team.namespace === namespace);
}

/** Returns the classes without synced Secrets that the workload mounts. */
export function mountedBy(team: Team, { mounts }: Pick<SimulatedWorkload, "mounts">): readonly WantedClass[] {
  return mounts.flatMap((name) => team.mounted.get(name) ?? []);
}

/** Returns the text of a vault value, which names its object and version; undefined if the value is from no vault. */
function originOf(data: string | undefined): string | undefined {
  if (data === undefined) return undefined;
  const text = textOf(data);
  const origin = text.startsWith("vault-") ? text : Buffer.from(text, "base64").toString("utf8");
  return origin.startsWith("vault-") ? origin : undefined;
}

/**
 * Describes each outdated value that a pod has from a Secret. Returns nothing if a Secret is missing, because a part of the Secrets is not
 * enough to judge the pods.
 */
export function oldValues(world: World, { namespace, name, secrets, pods }: SimulatedWorkload): readonly string[] {
  const { server } = world.cluster;
  const live = new Map((secrets ?? []).map((secret) => [secret, server.object("secrets", secret, namespace)]));
  if (secrets === undefined || [...live.values()].includes(undefined)) return [];
  return pods.flatMap((pod) =>
    [...(pod.startedWith ?? [])].flatMap(([where, data]) => {
      const [secret = "", key = ""] = where.split("/");
      const now = originOf((live.get(secret)?.["data"] as Readonly<Record<string, string>> | undefined)?.[key]);
      const started = originOf(data);
      if (now === undefined || started === undefined || now === started) return [];
      return [`${pod.name} of ${namespace}/${name} was started with ${started}; ${where} is ${now} now`];
    }),
  );
}

function hasOldFiles(world: World, workload: SimulatedWorkload): boolean {
  const team = teamOf(world, workload.namespace);
  return (team === undefined ? [] : mountedBy(team, workload)).some((wanted) => {
    const now = team === undefined ? undefined : filesOf(team, wanted);
    const started = workload.pods.flatMap(({ startedFiles }) => startedFiles?.get(wanted.name) ?? []);
    return now !== undefined && started.some((files) => !isSame(files, now));
  });
}

interface Dated {
  readonly metadata: { readonly creationTimestamp?: string; readonly managedFields?: readonly { readonly time?: string }[] };
}

/** Whether a pod may be older than one of its Secrets, by times in whole seconds. The worker then assumes that the pod is outdated. */
function mayBeOld({ cluster: { server } }: World, { namespace, secrets = [], pods }: SimulatedWorkload): boolean {
  const dated = (resource: string, name: string) => server.object(resource, name, namespace) as Dated | undefined;
  const written = secrets.flatMap((name) => dated("secrets", name)?.metadata.managedFields ?? []).map(({ time = "" }) => time);
  return pods.some(({ name }) => {
    const created = dated("pods", name)?.metadata.creationTimestamp;
    return created !== undefined && written.some((time) => time >= created);
  });
}

/** Pods must be ready for ten seconds. A worker whose clock catches up measures time at twice the pace. */
const STEADY_MS = 4_500;
/** Half of `--rollout-timeout`, because a worker whose clock catches up measures time at twice the pace. */
const TIMEOUT_MS = 5 * 60_000;

export interface Begun {
  readonly namespace: string;
  readonly name: string;
  /** Virtual milliseconds. */
  readonly restartedAt: number;
}

/**
 * Whether the worker no longer waits for a restart, although it has not recorded the end. The pods may have been ready for long enough, so
 * the record is on its way or lost. Or newer versions seem to exist, and the pods are complete or have timed out. While a Secret of the workload is
 * missing, or an object that it mounts is unavailable, the worker does not wait, and the simulation does not judge the restart.
 */
export function isLeftToItself(world: World, { namespace, name, restartedAt }: Begun): boolean {
  const { now } = world.scheduler;
  const workload = world.workloads.of(namespace, name);
  if (workload?.secrets === undefined) return true;
  const { server } = world.cluster;
  const team = teamOf(world, namespace);
  const isMissing = workload.secrets.some((secret) => server.object("secrets", secret, namespace) === undefined);
  const cannotMount = team !== undefined && mountedBy(team, workload).some((wanted) => filesOf(team, wanted) === undefined);
  if (isMissing || cannotMount) return true;
  if (workload.completeSince !== undefined && now - Math.max(workload.completeSince, restartedAt) >= STEADY_MS) return true;
  const hasEnded = workload.isComplete || now - restartedAt >= TIMEOUT_MS;
  return hasEnded && (oldValues(world, workload).length > 0 || hasOldFiles(world, workload) || mayBeOld(world, workload));
}
