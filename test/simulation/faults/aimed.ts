/** Faults that wait for the most harmful moment: between a replica's read and its write. */
import type { Message } from "../network/fabric.ts";
import type { Machine } from "../time/machine.ts";
import type { Random } from "../time/random.ts";
import { API_HOST } from "../world/cluster.ts";
import type { Team } from "../world/team.ts";
import type { World } from "../world/world.ts";
import { type FaultKind, MINUTE } from "./fault.ts";

/**
 * Strikes at the next requests that `isMeant` selects, once for each process, and at most `mostTimes` times. Never strikes if the fault ends
 * before such a request.
 */
function atNext(
  isMeant: (message: Message) => boolean,
  strike: (machine: Machine, world: World, random: Random) => void,
  mostTimes = 1,
): FaultKind["begin"] {
  return (world, random) => {
    const struck = new Set<Machine>();
    const times = mostTimes === 1 ? 1 : random.between(1, mostTimes);
    const listen = (message: Message): undefined => {
      const { machine } = message;
      if (machine === undefined || struck.has(machine) || !isMeant(message)) return undefined;
      struck.add(machine);
      if (struck.size >= times) world.weathers.delete(listen);
      strike(machine, world, random);
      return undefined;
    };
    world.weathers.add(listen);
    return () => void world.weathers.delete(listen);
  };
}

const isVault = ({ host }: Message): boolean => host.includes(".vault.azure.net");

function isWriteOf(...plurals: readonly string[]): (message: Message) => boolean {
  const written = new RegExp(`/(${plurals.join("|")})(/|[?]|$)`);
  return ({ host, method, path }) => host === API_HOST && method !== "GET" && !path.includes("dryRun") && written.test(path);
}

/** Whether the token of the request belongs to the team's application. */
function isOf({ application }: Team, { headers }: Message): boolean {
  const [, payload = ""] = (headers["authorization"] ?? "").split(".");
  return Buffer.from(payload, "base64url").includes(application.appId);
}

/** Kills the replica up to 10 ms after it sends a request, so that it might not receive the answer. */
function killDuringRequest(machine: Machine, world: World, random: Random): void {
  const replica = world.replicas.find((each) => each.machine === machine);
  world.scheduler.schedule(random.between(0, 10), () => {
    if (replica?.machine === machine) replica.kill();
  });
}

/** Longest time that a fault waits for its moment. */
const WAITS_MS = 10 * MINUTE;

/**
 * Longer than the product's lease lasts, so that another replica leads when the machine wakes. Shorter than the time that a kubelet takes
 * to kill a process that does not answer.
 */
const SLEEP_MS = { least: 19_000, most: 25_000 };

const WORKLOADS = ["deployments", "statefulsets", "daemonsets"] as const;

/** Objects that a leader writes, with the plurals in their paths. */
const KILLED_AT: readonly (readonly [what: string, ...plurals: string[]])[] = [
  ["a workload", ...WORKLOADS],
  ["a snapshot", "controllerrevisions"],
  ["a class", "secretproviderclasses"],
  ["a status", "secretproviderclasssyncs"],
  ["a Secret, one after the other", "secrets"],
];

export const aimedFaults: readonly FaultKind[] = [
  {
    name: "a machine sleeps while it waits for a vault",
    longestMs: WAITS_MS,
    begin: atNext(isVault, (machine, _, random) => machine.sleep(random.between(SLEEP_MS.least, SLEEP_MS.most))),
  },
  {
    name: "a replica stands still while it waits for a vault",
    longestMs: WAITS_MS,
    begin: atNext(isVault, (machine, _, random) => machine.stop(random.between(SLEEP_MS.least, SLEEP_MS.most))),
  },
  {
    name: "a replica is killed as it writes a Secret",
    longestMs: WAITS_MS,
    begin: atNext(isWriteOf("secrets"), killDuringRequest),
  },
  ...KILLED_AT.map(([what, ...plurals]) => ({
    name: `replicas are killed as they write ${what}`,
    longestMs: 60 * MINUTE,
    begin: atNext(isWriteOf(...plurals), killDuringRequest, 3),
  })),
  {
    name: "a machine sleeps as it writes a workload",
    longestMs: 60 * MINUTE,
    begin: atNext(isWriteOf(...WORKLOADS), (machine, _, random) => machine.sleep(random.between(SLEEP_MS.least, SLEEP_MS.most))),
  },
  {
    name: "replicas are killed while they poll for a team",
    longestMs: 60 * MINUTE,
    begin: (world, random) => {
      const team = random.pick(world.teams);
      return atNext((message) => isVault(message) && isOf(team, message), killDuringRequest, 3)(world, random);
    },
  },
];
