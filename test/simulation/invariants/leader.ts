/** Only a leader writes. */
import type { KubeObject } from "../../../src/domain/kubernetes.ts";
import { type Shard, shardCountOf, shardLease, shardOfLease } from "../../../src/domain/shards.ts";
import { shardOf } from "../../../src/runtime/shard-of.ts";
import type { Message } from "../network/fabric.ts";
import type { Machine } from "../time/machine.ts";
import { API_HOST } from "../world/cluster.ts";
import type { World } from "../world/world.ts";
import type { Invariant } from "./invariant.ts";

const LEASE = "keyvault-injector-sync";
const INSTALL = "keyvault-injector";

export function holder({ cluster }: World, shard = 0): string {
  const lease = cluster.server.object("leases.coordination.k8s.io", shardLease(LEASE, shard), INSTALL);
  const spec = lease?.["spec"] as { holderIdentity?: string } | undefined;
  return spec?.holderIdentity ?? "";
}

/** A Lease in which a process wrote itself as the holder. */
interface Taken {
  readonly shard: number;
  readonly identity: string;
}

/** Returns the Lease that the request takes or renews for its sender, or undefined if it does not do that. */
function takenBy({ host, path, body }: Message): Taken | undefined {
  const [, name] = /\/namespaces\/keyvault-injector\/leases\/([^/?]+)/.exec(path) ?? [];
  if (host !== API_HOST || name === undefined) return undefined;
  const [, identity] = /"holderIdentity":"([^"]+)"/.exec(body) ?? [];
  const shard = shardOfLease(LEASE, name);
  return shard === undefined || identity === undefined ? undefined : { shard, identity };
}

/** Returns the shard that the process on a machine leads now, or undefined if it leads none. */
type ShardLedBy = (machine: Machine) => Shard | undefined;

/**
 * Follows which Leases the processes take. The pod's name in a holder's identity is not enough: until the Lease is over, it still names a
 * process that has ended, while the next process in the same pod can take the Lease of another shard. Only the Lease that a process wrote
 * last counts: if a process got no answer to its first attempt, the Lease of another shard can name it, too.
 */
export function followLeases(world: World): ShardLedBy {
  const last = new WeakMap<Machine, Taken>();
  world.onSend((message) => {
    const taken = takenBy(message);
    if (message.machine !== undefined && taken !== undefined) last.set(message.machine, taken);
  });
  return (machine) => {
    const taken = last.get(machine);
    if (taken === undefined || holder(world, taken.shard) !== taken.identity) return undefined;
    const lease = world.cluster.server.object("leases.coordination.k8s.io", shardLease(LEASE, taken.shard), INSTALL);
    return { index: taken.shard, count: shardCountOf(lease as unknown as KubeObject) }; // The lease exists: `holder` found it above.
  };
}

/**
 * Whether a shard may send the write. The first shard writes objects without a namespace. All shards write the install's own objects and
 * events. The shard of a class writes the copies of its Secrets.
 */
function isOfShard({ path, body }: { readonly path: string; readonly body: string }, { index, count }: Shard): boolean {
  const [, namespace] = /\/namespaces\/([^/]+)\//.exec(path) ?? [];
  if (namespace === undefined) return index === 0;
  return namespace === INSTALL || shardOf(namespace, count) === index || body.includes("copied-from") || path.includes("/events");
}

const READS = new Set(["GET"]);

interface Writer {
  readonly count: number;
  /** Virtual milliseconds of its first write with this number of shards, and of its last. */
  readonly first: number;
  last: number;
}

/**
 * If workers with two numbers of shards work at the same time, two of them lead the same namespace. Their first writes can cross on the
 * way, because the leader is determined before a write is sent.
 */
export const oneNumberOfShards: Invariant = {
  name: "no two numbers of shards work at once",
  watch: (world, violated) => {
    const writers = new Map<string, Writer>();
    const shardLedBy = followLeases(world);
    world.onSend((message) => {
      const { machine } = message;
      if (machine === undefined || !isWrite(message)) return;
      const led = shardLedBy(machine);
      if (led === undefined) return;
      const { now } = world.scheduler;
      const known = writers.get(machine.name);
      const writer = known?.count === led.count ? known : { count: led.count, first: now, last: now };
      writer.last = now;
      writers.set(machine.name, writer);
      const other = [...writers].find(([name, { count, last }]) => name !== machine.name && count !== led.count && last > writer.first);
      if (other === undefined) return;
      const [name, { count, last }] = other;
      violated(`${machine.name} writes as one of ${led.count} shards since ${writer.first}, and ${name} as one of ${count} at ${last}`);
    });
  },
};

function isWrite({ host, method, path, body }: Pick<Message, "host" | "method" | "path" | "body">): boolean {
  if (host !== API_HOST || READS.has(method)) return false;
  const isFree =
    path.includes("/leases/") ||
    path.includes("dryRun=All") ||
    body.includes('"dryRun":["All"]') ||
    path.includes("selfsubjectaccessreviews") ||
    path.includes("/token");
  return !isFree;
}

/** A write can always arrive late, but a replica must not send it after another replica has taken its lease. */
export const leaderWrites: Invariant = {
  name: "no write leaves a replica that does not lead",
  watch: (world, violated) => {
    const shardLedBy = followLeases(world);
    world.onSend((message) => {
      const { machine, method, path, body } = message;
      if (machine === undefined || !isWrite(message)) return;
      const shard = shardLedBy(machine);
      if (shard === undefined) violated(`${machine.name} sends ${method} ${path.split("?")[0] ?? ""} while ${holder(world)} leads`);
      else if (!isOfShard({ path, body }, shard))
        violated(`${machine.name} sends ${method} ${path.split("?")[0] ?? ""}, and leads shard ${shard.index} of ${shard.count}`);
    });
  },
};
