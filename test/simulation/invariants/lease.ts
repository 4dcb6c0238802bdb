/** The lease is kept by who can keep it. */
import type { Ended } from "../network/fabric.ts";
import type { Machine } from "../time/machine.ts";
import { API_HOST } from "../world/cluster.ts";
import type { World } from "../world/world.ts";
import type { Invariant } from "./invariant.ts";

/** So long after the last renewal a lease is given up at most, and what it takes to notice (milliseconds). */
const RECENT_MS = 100_000;

/** Renewals that take so long are somebody else's fault. */
const SLOW_MS = 2_000;

function isLeaseRequest(host: string, path: string): boolean {
  return host === API_HOST && path.includes("/leases/");
}

function hasWorked({ how, status, sentAt }: Ended, now: number): boolean {
  return how === "answered" && status < 400 && now - sentAt < SLOW_MS;
}

const processOf = ({ name }: Machine): string => name.split("/")[0] ?? "";

function wasHindered(machine: Machine, since: number): boolean {
  return machine.stoppedUntil > since || machine.lag > 0;
}

/** Its own work must not keep a leader from renewing: each loss of a lease has something outside as its reason. */
export const leaseIsKept: Invariant = {
  name: "a leader whose renewals are answered keeps its lease",
  watch: (world: World, violated) => {
    const machines = new Map<string, Machine>();
    const troubled = new Map<string, number>();
    world.onSend(({ machine, host, path }) => {
      if (machine !== undefined && isLeaseRequest(host, path)) machines.set(processOf(machine), machine);
    });
    world.onEnded((ended) => {
      const { machine, host, path } = ended.message;
      const { now } = world.scheduler;
      if (machine !== undefined && isLeaseRequest(host, path) && !hasWorked(ended, now)) troubled.set(processOf(machine), now);
    });
    world.onExit((name, why) => {
      if (!why.startsWith("LeaseLost")) return;
      const since = world.scheduler.now - RECENT_MS;
      const machine = machines.get(name);
      if (machine === undefined || wasHindered(machine, since) || (troubled.get(name) ?? 0) > since) return;
      violated(`${name} ended: ${why}, and every request of the last ${RECENT_MS / 1_000} s for its lease was answered at once`);
    });
  },
};
