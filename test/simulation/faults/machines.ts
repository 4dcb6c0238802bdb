/** Faults of the replicas' machines and their clocks. */
import { holder } from "../invariants/leader.ts";
import type { SimulatedProcess } from "../machines/process.ts";
import type { Machine } from "../time/machine.ts";
import type { Random } from "../time/random.ts";
import type { World } from "../world/world.ts";
import { type FaultKind, MINUTE } from "./fault.ts";

/** Returns the replica that the lease of the shard names, or undefined if no replica holds the lease. */
export function leaderOf(world: World, shard = 0): SimulatedProcess | undefined {
  return world.replicas.find(({ name }) => holder(world, shard).startsWith(`${name}_`));
}

/** Returns the leaders of all shards that have one. */
export function leadersOf(world: World): readonly SimulatedProcess[] {
  return Array.from({ length: world.shards.count }, (_, shard) => leaderOf(world, shard)).filter((leader) => leader !== undefined);
}

/**
 * Whether all leaders have always had right clocks. A leader whose clock was ever wrong can misjudge how long a grace period or a window
 * lasts.
 */
export function haveRightClocks(world: World): boolean {
  const leaders = leadersOf(world);
  return leaders.length > 0 && leaders.every(({ machine }) => machine?.hasBeenWrong === false);
}

/** Picks a leader more often than not, because a fault of a standby matters less. */
function victim(world: World, random: Random): SimulatedProcess {
  const leader = leaderOf(world, world.shards.count > 1 ? random.below(world.shards.count) : 0);
  return leader !== undefined && random.chance(0.6) ? leader : random.pick(world.replicas);
}

function onMachineOf(act: (machine: Machine, random: Random) => (() => void) | undefined): FaultKind["begin"] {
  return (world, random) => {
    const { machine } = victim(world, random);
    return machine === undefined ? undefined : act(machine, random);
  };
}

/** Returns a fault that sets a clock. The clock stays wrong until the end of the fault, when it is corrected as by a time service. */
function steppedClock(name: string, milliseconds: (random: Random) => number): FaultKind {
  return {
    name,
    longestMs: 60 * MINUTE,
    begin: onMachineOf((machine, random) => {
      machine.stepClock(milliseconds(random));
      return () => machine.correctClock();
    }),
  };
}

export const machineFaults: readonly FaultKind[] = [
  {
    name: "a replica is killed",
    longestMs: 0,
    begin: (world, random) => {
      victim(world, random).kill();
      return undefined;
    },
  },
  {
    name: "a replica is told to stop",
    longestMs: 0,
    begin: (world, random) => {
      victim(world, random).terminate();
      return undefined;
    },
  },
  {
    name: "all replicas are killed",
    longestMs: 0,
    begin: (world) => {
      for (const replica of world.replicas) replica.kill();
      return undefined;
    },
  },
  {
    name: "a replica stands still",
    longestMs: 0,
    begin: onMachineOf((machine, random) => {
      machine.stop(random.between(1_000, 40_000));
      return undefined;
    }),
  },
  {
    name: "a replica is slow",
    longestMs: 5 * MINUTE,
    begin: onMachineOf((machine, random) => {
      machine.lag = random.between(5, 150);
      return () => {
        machine.lag = 0;
      };
    }),
  },
  {
    name: "a machine sleeps",
    longestMs: 0,
    begin: onMachineOf((machine, random) => {
      machine.sleep(random.between(5_000, 30 * MINUTE));
      return undefined;
    }),
  },
  steppedClock("a clock ahead", (random) => random.between(MINUTE, 120 * MINUTE)),
  steppedClock("a clock behind", (random) => -random.between(MINUTE, 120 * MINUTE)),
  {
    name: "a clock that drifts",
    longestMs: 120 * MINUTE,
    begin: onMachineOf((machine, random) => {
      machine.setDrift(random.between(-0.02, 0.02));
      return () => machine.correctClock();
    }),
  },
];
