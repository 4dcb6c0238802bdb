/** Faults that wait for the most harmful moment: between a replica's read and its write. */
import type { Message } from "../network/fabric.ts";
import type { Machine } from "../time/machine.ts";
import type { Random } from "../time/random.ts";
import { API_HOST } from "../world/cluster.ts";
import type { Team } from "../world/team.ts";
import type { World } from "../world/world.ts";
import { type FaultKind, MINUTE } from "./fault.ts";

/** Strikes at the next request that `isMeant` selects. Never strikes if the fault ends before such a request. */
function atNext(
  isMeant: (message: Message) => boolean,
  strike: (machine: Machine, world: World, random: Random) => void,
): FaultKind["begin"] {
  return (world, random) => {
    const listen = (message: Message): undefined => {
      if (message.machine === undefined || !isMeant(message)) return undefined;
      world.weathers.delete(listen);
      strike(message.machine, world, random);
      return undefined;
    };
    world.weathers.add(listen);
    return () => void world.weathers.delete(listen);
  };
}

const isVault = ({ host }: Message): boolean => host.includes(".vault.azure.net");

function isSecretWrite({ host, method, path }: Message): boolean {
  return host === API_HOST && method !== "GET" && path.includes("/secrets") && !path.includes("dryRun");
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
    begin: atNext(isSecretWrite, killDuringRequest),
  },
  {
    name: "a replica is killed while it polls for a team",
    longestMs: 60 * MINUTE,
    begin: (world, random) => {
      const team = random.pick(world.teams);
      const strike = (machine: Machine): void => killDuringRequest(machine, world, random);
      return atNext((message) => isVault(message) && isOf(team, message), strike)(world, random);
    },
  },
];
