import { LEASE, mergePatch, send } from "../../support/worker/sync-world.ts";
import type { Evidence, Fault, Target } from "../fault.ts";
import { type Replica, readClock, stepClock } from "../replicas.ts";
import { isLeaseWrite } from "../trails.ts";

/** A standby, which checks the Lease every 2 s, takes over after 15 s without a renewal. Then come a list and a poll. */
const FAILOVER_SECONDS = 20 + 10 + 10;

/** A poll, and the work of a leader that has just begun. */
const RECOVERED_BY_POLL_SECONDS = 30;

const HOUR_MS = 3_600_000;

/** Time of the first write of the Lease since the mark by a process other than the replica. */
function successor({ world, auditMark }: Target, { credential }: Replica): string | undefined {
  return world.audit.since(auditMark).find((entry) => isLeaseWrite(entry) && entry.credential !== credential)?.time;
}

const endOf = (leader: Replica, how: string): Evidence => {
  return async () => {
    const signal = leader.process.endedBy();
    return signal === undefined ? undefined : `process: the leader ended by ${signal}${how}`;
  };
};

/** Evidence that the leader ended by itself, with its exit code. */
const exitOf = ({ process }: Replica, why: string): Evidence => {
  let code: number | undefined;
  void (async () => {
    code = await process.exited;
  })();
  return () => (code === undefined ? undefined : `process: the leader ended with code ${code}${why}`);
};

const nothing = async (): Promise<void> => undefined;

function stepped(milliseconds: number): Fault["strike"] {
  return async ({ world }) => {
    const leader = await world.replicas.leader();
    stepClock(leader, milliseconds);
    return {
      evidence: () => {
        const read = readClock(leader);
        return read === undefined ? undefined : `process: a Date of the leader's says ${read}, and it is ${new Date().toISOString()}`;
      },
      mend: async () => stepClock(leader, 0),
    };
  };
}

/** Faults of the leader's process and its clock. */
export const leaderFaults: readonly Fault[] = [
  {
    name: "the leader killed (SIGKILL)",
    bound: FAILOVER_SECONDS,
    strike: async ({ world }) => {
      const leader = await world.replicas.leader();
      await leader.process.kill();
      return { evidence: endOf(leader, ""), mend: nothing };
    },
  },
  {
    name: "the leader stopped (SIGSTOP) until another leads, then continued",
    bound: RECOVERED_BY_POLL_SECONDS,
    strike: async (target) => {
      const leader = await target.world.replicas.leader();
      process.kill(leader.process.pid, "SIGSTOP");
      return {
        evidence: () => {
          const since = successor(target, leader);
          return since === undefined ? undefined : `audit log: another replica wrote the Lease at ${since}`;
        },
        mend: async () => void process.kill(leader.process.pid, "SIGCONT"),
      };
    },
  },
  {
    name: "both replicas killed",
    // The replicas start first, and from then on see the Lease unchanged.
    bound: 5 + FAILOVER_SECONDS,
    strike: async ({ world }) => {
      const leader = await world.replicas.leader();
      await Promise.all(world.replicas.all.map((replica) => replica.process.kill()));
      return { evidence: endOf(leader, ", the standby too"), mend: nothing };
    },
  },
  {
    name: "the leader told to end (SIGTERM)",
    bound: RECOVERED_BY_POLL_SECONDS,
    strike: async (target) => {
      const leader = await target.world.replicas.leader();
      process.kill(leader.process.pid, "SIGTERM");
      return { evidence: exitOf(leader, ""), mend: nothing };
    },
  },
  {
    name: "the leader cut off from the API server",
    bound: FAILOVER_SECONDS,
    strike: async ({ world }) => {
      const leader = await world.replicas.leader();
      leader.proxy.refusing = true;
      leader.proxy.cut();
      return {
        evidence: exitOf(leader, ` after ${leader.proxy.connections} connections`),
        mend: async () => {
          leader.proxy.refusing = false;
        },
      };
    },
  },
  {
    name: "the Lease deleted",
    bound: FAILOVER_SECONDS,
    deposesUnseen: true,
    strike: async ({ world, auditMark }) => {
      await send(world.plane, { method: "DELETE", path: LEASE });
      return {
        evidence: () => {
          const missed = world.audit
            .since(auditMark)
            .filter(({ resource, code }) => resource === "coordination.k8s.io/leases" && code === 404);
          const made = world.audit.since(auditMark).some(({ resource, code }) => resource === "coordination.k8s.io/leases" && code === 201);
          return made ? `audit log: ${missed.length} reads of the Lease answered 404, then it was made again` : undefined;
        },
        mend: nothing,
      };
    },
  },
  {
    name: "the Lease stolen by somebody who does nothing with it",
    bound: FAILOVER_SECONDS,
    deposesUnseen: true,
    strike: async ({ world }) => {
      const leader = await world.replicas.leader();
      const time = new Date().toISOString().replace("Z", "000Z");
      await mergePatch(world.plane, LEASE, {
        spec: { holderIdentity: "somebody-else", leaseDurationSeconds: 15, renewTime: time, acquireTime: time },
      });
      return { evidence: exitOf(leader, ""), mend: nothing };
    },
  },
  { name: "the leader's clock an hour ahead, and back", bound: RECOVERED_BY_POLL_SECONDS, strike: stepped(HOUR_MS) },
  { name: "the leader's clock an hour back, and ahead", bound: RECOVERED_BY_POLL_SECONDS, strike: stepped(-HOUR_MS) },
];
