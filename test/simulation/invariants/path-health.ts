/**
 * Finds the times in which a part of a class's path to its vault did not work. It judges by the answers that the API server gave to the
 * leader, and that sign-ins and vaults gave to an identity, and not by the planned faults.
 */
import { shardLease } from "../../../src/domain/shards.ts";
import type { SimulatedProcess } from "../machines/process.ts";
import type { Ended, Message } from "../network/fabric.ts";
import type { Machine } from "../time/machine.ts";
import { API_HOST } from "../world/cluster.ts";
import { QUEUE_HOST } from "../world/event-queue.ts";
import { isChanging } from "../world/shards.ts";
import type { Team } from "../world/team.ts";
import type { World } from "../world/world.ts";
import { Troubles } from "./troubles.ts";

/**
 * Time for which a problem can have an effect after its end. The back-offs of a class, of a vault's breaker, and of a sign-in's breaker
 * take at most a minute each. A new leader takes over and lists everything within a minute.
 */
export const RECOVERY_MS = 3 * 60_000;

/** An answer that takes longer counts as failed, because a renewal of the lease waits no longer. */
const SLOW_MS = 5_000;

/** Maximum time for which a request waits for its answer. A client closes a silent stream after 75 s. */
const LONGEST_WAIT_MS = 90_000;

/** A read of an empty event queue can take this long, in worlds that are to run fast. */
const LONGEST_LOOK_MS = 9_000;

/** Usual answers take less than a hundredth of this. */
const QUICK_MS = 1_000;

/** The worker ends tasks that take longer. */
const LONGEST_TASK_MS = 10_000;

const TICK_MS = 5_000;

/** A lease lasts at most two minutes, so a replica that has run for this time without a leader could have taken it. */
const COULD_LEAD_MS = 180_000;

const INSTALL = "keyvault-injector";
const DEFINITIONS = ["secretproviderclasses.secrets-store.csi.x-k8s.io", "secretproviderclasssyncs.keyvault-injector.dev"];

export const CLUSTER = "cluster";
export const SIGN_INS = "sign-ins";
/** The event queue. Only the delivery of events needs it. */
export const QUEUE = "event queue";
export const identityScope = (appId: string): string => `identity ${appId}`;
export const vaultScope = (vault: string): string => `vault ${vault}`;
export const namespaceScope = (namespace: string): string => `namespace ${namespace}`;

/** Everything that a class of the team needs. */
export function scopesOf({ namespace, vault, application }: Team): readonly string[] {
  return [CLUSTER, SIGN_INS, identityScope(application.appId), vaultScope(vault.name), namespaceScope(namespace)];
}

/** The same, and slow requests also count as not working. */
export function quickScopesOf(team: Team): readonly string[] {
  return scopesOf(team).flatMap((scope) => [scope, slowly(scope)]);
}

const slowly = (scope: string): string => `slow ${scope}`;

/** Returns the scope that a failed request affects. */
export function scopeOf({ host, path, body }: Pick<Message, "host" | "path" | "body">): string {
  if (host === API_HOST) {
    const namespace = /\/namespaces\/([^/?]+)\//.exec(path)?.[1];
    return namespace === undefined || namespace === INSTALL ? CLUSTER : namespaceScope(namespace);
  }
  if (host.includes(".vault.azure.net")) return vaultScope(host.split(".")[0] ?? "");
  if (host === QUEUE_HOST) return QUEUE;
  const appId = new URLSearchParams(body).get("client_id");
  return appId === null ? SIGN_INS : identityScope(appId);
}

/** Whether the sender received a usable answer. A 401 is a vault's challenge. 403 and 404 describe the actual state. */
export function hasWorked({ message, how, status, sentAt, body }: Ended, now: number, isStream: boolean): boolean {
  if (how !== "answered") return isStream && how === "givenUp" && status === 200;
  if (message.host === QUEUE_HOST) return hasQueueWorked({ message, status, sentAt, body }, now);
  return status < 500 && status !== 429 && status !== 409 && status !== 410 && (isStream || now - sentAt <= SLOW_MS);
}

/** A deletion also works if the message is gone, or if another receiver has it by now. */
function hasQueueWorked({ message, status, sentAt, body }: Omit<Ended, "how">, now: number): boolean {
  if (now - sentAt > LONGEST_LOOK_MS) return false;
  if (message.method === "DELETE") return [204, 400, 404].includes(status);
  // A proxy's own page is not a list of messages.
  return status === 200 && body.startsWith("<?xml");
}

const known = new WeakMap<World, Troubles>();

/** Returns the troubles of the world, and begins to record them at the first call. */
export function troublesOf(world: World): Troubles {
  const there = known.get(world);
  if (there !== undefined) return there;
  const troubles = new Troubles();
  known.set(world, troubles);
  const leadings = Array.from({ length: world.shards.most }, (_, shard) => new Leading(world, shard));
  world.onEnded((ended) => {
    const { now } = world.scheduler;
    const { message, sentAt, how } = ended;
    const { machine } = message;
    if (machine === undefined || !leadings.some((leading) => leading.concerns(machine))) return;
    const isStream = message.path.includes("watch=true");
    if (!isStream && now - sentAt > QUICK_MS) troubles.note(slowly(scopeOf(message)), sentAt, now);
    if (hasWorked(ended, now, isStream)) return;
    if (message.host === API_HOST) for (const leading of leadings) leading.noteFailure(machine);
    const until = how === "silenced" ? now + LONGEST_WAIT_MS : now;
    troubles.note(scopeOf(message), Math.max(sentAt, now - LONGEST_WAIT_MS), until + RECOVERY_MS);
  });
  // All replicas share the threads, so the problem counts for all.
  world.threads.onTrouble(() => {
    const { now } = world.scheduler;
    troubles.note(CLUSTER, now - LONGEST_TASK_MS, now + RECOVERY_MS);
  });
  const tick = (): void => {
    const { now } = world.scheduler;
    // Calls `isTroubled` of every shard, because each call also updates its state.
    if (leadings.map((leading) => leading.isTroubled()).includes(true)) troubles.note(CLUSTER, now - TICK_MS, now + RECOVERY_MS);
    if (world.events?.isGranted === false) troubles.note(QUEUE, now - TICK_MS, now + RECOVERY_MS);
    world.scheduler.schedule(TICK_MS, tick);
  };
  world.scheduler.schedule(TICK_MS, tick);
  return troubles;
}

/** The leader of a shard, and whether it can do its work. */
class Leading {
  readonly #world: World;
  #holder = "";
  /** Machine of the holder at the time when the lease first named it. */
  #machine: Machine | undefined;
  #lookedAt = 0;
  #definitions = "";
  /** Time since which the shard has no leader; undefined if it has one. */
  #leaderlessSince: number | undefined;
  /** Time since which each machine has run normally. */
  readonly #wellSince = new Map<Machine, number>();

  readonly #shard: number;

  constructor(world: World, shard: number) {
    this.#world = world;
    this.#shard = shard;
  }

  /** Whether problems of the machine matter. While the holder of the lease runs, only its own problems do. */
  concerns(machine: Machine): boolean {
    return this.#machine === undefined || !isRunning(this.#machine, this.#world) || machine === this.#machine;
  }

  /** A replica that the API server does not answer cannot take over. Ignores the webhook, which never could. */
  noteFailure(machine: Machine): void {
    if (this.#world.replicas.some((replica) => replica.machine === machine)) this.#wellSince.set(machine, this.#world.scheduler.now);
  }

  isTroubled(): boolean {
    const { scheduler, replicas } = this.#world;
    const last = this.#lookedAt;
    this.#lookedAt = scheduler.now;
    const { shards } = this.#world;
    const hasChanged = this.#lookAtHolder();
    const areRedefined = this.#lookAtDefinitions();
    for (const replica of replicas) this.#lookAtReplica(replica);
    const machine = this.#machine;
    const leads = machine !== undefined && isRunning(machine, this.#world) && machine.stoppedUntil <= last;
    this.#leaderlessSince = leads ? undefined : (this.#leaderlessSince ?? scheduler.now);
    if (hasChanged || areRedefined || isChanging(shards, scheduler.now)) return true;
    if (this.#shard >= shards.count) return false;
    if (this.#leaderlessSince === undefined) return (machine?.lag ?? 0) > 0;
    if (scheduler.now - this.#leaderlessSince < COULD_LEAD_MS) return true;
    const couldLead = [...this.#wellSince].some(([each, since]) => each.isAlive && scheduler.now - since > COULD_LEAD_MS);
    return !couldLead;
  }

  #lookAtHolder(): boolean {
    const { cluster, replicas } = this.#world;
    const lease = cluster.server.object("leases.coordination.k8s.io", shardLease("keyvault-injector-sync", this.#shard), INSTALL);
    const { holderIdentity: holder = "" } = (lease?.["spec"] ?? {}) as { holderIdentity?: string };
    if (holder === this.#holder) return false;
    this.#holder = holder;
    this.#machine = replicas.find(({ name }) => holder.startsWith(`${name}_`))?.machine;
    return true;
  }

  #lookAtDefinitions(): boolean {
    const { server } = this.#world.cluster;
    const versions = DEFINITIONS.map((name) => {
      const found = server.object("customresourcedefinitions.apiextensions.k8s.io", name);
      return (found?.["metadata"] as { resourceVersion?: string } | undefined)?.resourceVersion ?? "missing";
    }).join();
    const isSame = versions === this.#definitions;
    this.#definitions = versions;
    return !isSame || versions.includes("missing");
  }

  #lookAtReplica({ machine }: SimulatedProcess): void {
    if (machine === undefined) return;
    const isWell = isRunning(machine, this.#world) && machine.lag === 0;
    if (!isWell || !this.#wellSince.has(machine)) this.#wellSince.set(machine, this.#world.scheduler.now);
    for (const each of this.#wellSince.keys()) if (!each.isAlive) this.#wellSince.delete(each);
  }
}

function isRunning(machine: Machine, { scheduler }: World): boolean {
  return machine.isAlive && machine.stoppedUntil <= scheduler.now;
}
