/** A replica that can keep its lease keeps it, and a replica that can take a lease takes it. */
import type { Ended } from "../network/fabric.ts";
import type { Machine } from "../time/machine.ts";
import { API_HOST } from "../world/cluster.ts";
import { isChanging } from "../world/shards.ts";
import type { World } from "../world/world.ts";
import type { Invariant } from "./invariant.ts";

/** Longest time from the last renewal until a leader gives up its lease and notices that (milliseconds). */
const RECENT_MS = 100_000;

/** A slower renewal is not the leader's fault. */
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

/** A leader's own work must not prevent renewals: each loss of a lease must have a cause outside the leader. */
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

/**
 * Maximum number of times that a candidate reads an unchanged lease. Candidates take it after at most eight reads, in worlds of either
 * pace.
 */
const MOST_ASKED = 10;
const LEASES = { path: "/namespaces/keyvault-injector/leases/", namespace: "keyvault-injector" };

function isListOfLeases(path: string): boolean {
  return path.split("?")[0]?.endsWith("/namespaces/keyvault-injector/leases") === true;
}

/** Returns the lease that a request is for, or undefined if it is for another object or for all leases. */
function leaseOf(path: string): string | undefined {
  const [, below] = path.split(LEASES.path);
  return below?.split("?")[0];
}

interface Candidate {
  version: string | undefined;
  /** Number of reads since it first saw this version. */
  asked: number;
  /** Whether it has seen for long enough that no replica renews the lease. */
  isDue: boolean;
}

/** Counts reads and not time, because a candidate measures time by its own sleeps. */
export const leaseIsTaken: Invariant = {
  name: "a candidate that sees that nobody renews the lease takes it",
  watch: (world: World, violated) => {
    const candidates = new WeakMap<Machine, Map<string, Candidate>>();
    const candidatesOn = (machine: Machine): Map<string, Candidate> => {
      const known = candidates.get(machine) ?? new Map<string, Candidate>();
      candidates.set(machine, known);
      return known;
    };
    const candidateOn = (machine: Machine, lease: string): Candidate => {
      const known = candidatesOn(machine).get(lease) ?? { version: undefined, asked: 0, isDue: false };
      candidatesOn(machine).set(lease, known);
      return known;
    };
    world.onSend(({ machine, method, host, path }) => {
      const lease = leaseOf(path);
      if (machine === undefined || host !== API_HOST || lease === undefined) return;
      const candidate = candidateOn(machine, lease);
      if (method === "GET") candidate.asked += 1;
      else candidates.delete(machine);
      if (method !== "GET" || !candidate.isDue || isChanging(world.shards, world.scheduler.now)) return;
      violated(`${machine.name} has asked ${candidate.asked} times for a lease that nobody has renewed, and asks once more`);
      candidates.delete(machine);
    });
    world.onEnded(({ message: { machine, method, host, path }, how, status }) => {
      if (machine === undefined || host !== API_HOST || method !== "GET") return;
      // Before a candidate takes a lease, it lists the leases to check for other workers. If this fails, it has tried.
      if (isListOfLeases(path) && (how !== "answered" || status !== 200)) candidates.delete(machine);
      const name = leaseOf(path);
      if (name === undefined) return;
      if (how !== "answered" || status !== 200) return;
      const lease = world.cluster.server.object("leases.coordination.k8s.io", name, LEASES.namespace);
      const { resourceVersion } = (lease?.["metadata"] ?? {}) as { readonly resourceVersion?: string };
      const candidate = candidateOn(machine, name);
      if (candidate.version === resourceVersion) candidate.isDue = candidate.asked >= MOST_ASKED;
      else candidatesOn(machine).set(name, { version: resourceVersion, asked: 0, isDue: false });
    });
  },
};
