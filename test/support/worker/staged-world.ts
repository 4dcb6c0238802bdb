/** A world without processes, for the controls of the simulation's invariants. The test stages all events. */
import { LEASE_ANNOTATIONS } from "../../../src/domain/annotations.ts";
import type { ObjectRef } from "../../../src/domain/kubernetes.ts";
import { type Shard, shardCountText, shardLease } from "../../../src/domain/shards.ts";
import type { Write } from "../../simulation/api/interface.ts";
import type { JsonObject } from "../../simulation/api/json.ts";
import type { SimulatedProcess } from "../../simulation/machines/process.ts";
import type { Ended, Message } from "../../simulation/network/fabric.ts";
import type { CloudRequest } from "../../simulation/parties/clouds.ts";
import type { NewVersion, SentEvent } from "../../simulation/queues/event-grid.ts";
import { Machine } from "../../simulation/time/machine.ts";
import { Random } from "../../simulation/time/random.ts";
import { Scheduler } from "../../simulation/time/scheduler.ts";
import type { WantedClass } from "../../simulation/world/classes.ts";
import type { Cluster } from "../../simulation/world/cluster.ts";
import type { Recorded } from "../../simulation/world/driver.ts";
import { Enforcer } from "../../simulation/world/enforcer.ts";
import type { Line } from "../../simulation/world/log.ts";
import type { Team } from "../../simulation/world/team.ts";
import type { SimulatedVault } from "../../simulation/world/vaults.ts";
import type { SimulatedWorkload } from "../../simulation/world/workloads.ts";
import { SYNC_USER, type World } from "../../simulation/world/world.ts";

const EPOCH = Date.UTC(2026, 0, 5);
export const MINUTE = 60_000;

type Listeners<T> = ((happened: T) => void)[];

export class StagedWorld {
  readonly scheduler = new Scheduler(new Random(1), {
    enter: (_, action) => action(),
    settle: () => undefined,
    note: () => undefined,
    outside: (action) => void setImmediate(action),
  });
  readonly random = new Random(2);
  readonly machine: Machine;
  readonly teams: Team[] = [];
  /** By resource, then by `namespace/name`. */
  readonly objects = new Map<string, Map<string, JsonObject>>();
  /** By `namespace/name`. */
  readonly workloads = new Map<string, SimulatedWorkload>();
  readonly #ended: Listeners<Ended> = [];
  readonly #sent: Listeners<Message> = [];
  readonly #written: Listeners<Write> = [];
  readonly #cloud: Listeners<CloudRequest> = [];
  readonly #exits: ((name: string, why: string) => void)[] = [];
  readonly #lineListeners: ((line: Line) => void)[] = [];

  /** The webhook's live copies. */
  readonly copies = { classes: new Map<string, unknown>(), namespaces: new Map<string, unknown>() };
  readonly #isEnforced: boolean;
  readonly #isBlind: boolean;
  readonly #hasEvents: boolean;
  readonly #events: SentEvent[] = [];
  readonly #delivered: Listeners<SentEvent> = [];
  readonly #threadTroubles: (() => void)[] = [];
  /** The driver's records by the uid of the pod, oldest first. */
  readonly records = new Map<string, readonly Recorded[]>();
  /** `--max-rollouts` */
  maxRollouts: number | undefined;
  /** Time since which a PodDisruptionBudget allows no disruption, by the `namespace/name` of its workload. */
  readonly exhausted = new Map<string, number>();
  /** Number of messages in the event queue. */
  queued = 0;

  /** Starts with one replica, which leads. With `isEnforced`, a platform adds to our webhooks. */
  constructor({
    isEnforced = false,
    isBlind = false,
    hasEvents = false,
  }: Partial<Record<"isEnforced" | "isBlind" | "hasEvents", boolean>> = {}) {
    this.#isEnforced = isEnforced;
    this.#isBlind = isBlind;
    this.#hasEvents = hasEvents;
    this.machine = new Machine("sync-0/1", { scheduler: this.scheduler, random: this.random, epoch: EPOCH });
    this.#replicas.push({ name: "sync-0", machine: this.machine });
    this.put("leases.coordination.k8s.io", "keyvault-injector/keyvault-injector-sync", { spec: { holderIdentity: "sync-0_1" } });
    for (const name of ["secretproviderclasses.secrets-store.csi.x-k8s.io", "secretproviderclasssyncs.keyvault-injector.dev"])
      this.put("customresourcedefinitions.apiextensions.k8s.io", name, { metadata: { name, resourceVersion: "1" } });
  }

  /** The world with the parts that the invariants use. */
  get world(): World {
    const server = {
      object: (resource: string, name: string, namespace?: string) =>
        this.objects.get(resource)?.get(namespace === undefined ? name : `${namespace}/${name}`),
      objects: (resource: string) => [...(this.objects.get(resource)?.values() ?? [])],
    };
    const { scheduler, random } = this;
    const enforcer = new Enforcer({ cluster: { server } as unknown as Cluster, scheduler, random });
    const staged = {
      events: this.#hasEvents ? this.#eventQueue() : undefined,
      isBlind: this.#isBlind,
      enforcer: this.#isEnforced ? enforcer : undefined,
      copies: {
        classes: { get: ({ namespace, name }: ObjectRef) => this.copies.classes.get(`${namespace ?? ""}/${name}`) },
        namespaces: { get: ({ name }: ObjectRef) => this.copies.namespaces.get(name) },
      },
      scheduler: this.scheduler,
      random: this.random,
      teams: this.teams,
      replicas: this.#replicas,
      cluster: { server },
      workloads: {
        all: () => [...this.workloads.values()],
        of: (namespace: string, name: string) => this.workloads.get(`${namespace}/${name}`),
      },
      budgets: { of: (namespace: string, name: string) => ({ exhaustedSince: this.exhausted.get(`${namespace}/${name}`) }) },
      maxRollouts: this.maxRollouts,
      shards: { count: 1, most: 1, changedAt: Number.NEGATIVE_INFINITY },
      driver: { recordsOf: (uid: string) => this.records.get(uid) ?? [] },
      threads: { onTrouble: (listener: () => void) => this.#threadTroubles.push(listener) },
      log: { onLine: (listener: (line: Line) => void) => this.#lineListeners.push(listener) },
      onExit: (listener: (name: string, why: string) => void) => this.#exits.push(listener),
      onEnded: (listener: (ended: Ended) => void) => this.#ended.push(listener),
      onSend: (listener: (message: Message) => void) => this.#sent.push(listener),
      onWrite: (listener: (write: Write) => void) => this.#written.push(listener),
      onCloudRequest: (listener: (request: CloudRequest) => void) => this.#cloud.push(listener),
    };
    this.#world ??= staged as unknown as World;
    return this.#world;
  }

  #world: World | undefined;

  #eventQueue(): object {
    const { size } = { size: () => this.queued };
    return {
      appId: "reader",
      grid: { onDelivered: (listener: (event: SentEvent) => void) => this.#delivered.push(listener) },
      get size() {
        return size();
      },
    };
  }

  /** Delivers an event of a new version into the queue. */
  delivered(version: NewVersion): void {
    const event: SentEvent = { ...version, deliveredAt: this.scheduler.now, isLost: false };
    this.#events.push(event);
    for (const listen of this.#delivered) listen(event);
  }

  /** Loses the delivered events. */
  loseEvents(): void {
    for (const event of this.#events) event.isLost = true;
  }

  readonly #replicas: Pick<SimulatedProcess, "name" | "machine">[] = [];

  /** Adds a replica that does not lead. */
  standby(): Machine {
    const { scheduler, random } = this;
    const name = `sync-${this.#replicas.length}`;
    const machine = new Machine(`${name}/1`, { scheduler, random, epoch: EPOCH });
    this.#replicas.push({ name, machine });
    return machine;
  }

  /** Returns the machine of the next process in the leader's pod. */
  restarted(): Machine {
    const { scheduler, random } = this;
    return new Machine("sync-0/2", { scheduler, random, epoch: EPOCH });
  }

  /** Lets the process on a machine take the Lease of a shard. */
  takeLease(machine: Machine, identity: string, { index, count }: Shard = { index: 0, count: 1 }): void {
    const name = shardLease("keyvault-injector-sync", index);
    const lease = {
      metadata: { annotations: { [LEASE_ANNOTATIONS.shards]: shardCountText(count, identity) } },
      spec: { holderIdentity: identity },
    };
    const path = `/apis/coordination.k8s.io/v1/namespaces/keyvault-injector/leases/${name}?fieldManager=keyvault-injector`;
    this.sent({ machine, method: "PATCH", path, body: JSON.stringify(lease) });
    this.put("leases.coordination.k8s.io", `keyvault-injector/${name}`, lease);
  }

  put(resource: string, key: string, object: JsonObject): void {
    const all = this.objects.get(resource) ?? new Map<string, JsonObject>();
    this.objects.set(resource, all.set(key, object));
  }

  remove(resource: string, key: string): void {
    this.objects.get(resource)?.delete(key);
  }

  /** Adds a namespace with its own vault, and one class with one object. */
  team(namespace: string, wanted: Partial<WantedClass> = {}): Team {
    const value = Buffer.from(`vault-of-${namespace}/db/1`).toString("base64");
    const object = {
      name: "db",
      isCertificate: false,
      versions: [{ version: "1", value, since: 0, isDisabled: false }],
      state: "enabled" as const,
      changedAt: 0,
    };
    const vault: SimulatedVault = { name: `vault-of-${namespace}`, tenantId: "tenant", objects: new Map([["db", object]]) };
    const entry = { object: "db", type: "secret" as const, pinned: undefined, alias: undefined, isDecoded: false };
    const secret = { name: "db", keys: [0], label: undefined };
    const class_: WantedClass = {
      namespace,
      name: "app",
      vault: vault.name,
      entries: [entry],
      secrets: [secret],
      sync: undefined,
      intervalMinutes: 5,
      ...wanted,
    };
    const application = { appId: `app-of-${namespace}`, clientSecret: "", mayList: true };
    const team = {
      namespace,
      vault,
      application,
      classes: new Map([[class_.name, class_]]),
      mounted: new Map<string, WantedClass>(),
      writtenAt: new Map([[class_.name, 0]]),
      pods: new Map<string, string>(),
      usedUntil: new Map<string, number>(),
      mostClasses: 12,
    };
    this.teams.push(team);
    return team;
  }

  /** Writes the Secret as the worker would. */
  secret(namespace: string, name: string, data: Readonly<Record<string, string>>, className = "app"): void {
    const encoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString("base64")]);
    const labels = { "keyvault-injector.dev/managed": "true" };
    const metadata = { namespace, name, labels, annotations: { "keyvault-injector.dev/class": className } };
    this.put("secrets", `${namespace}/${name}`, { metadata, data: Object.fromEntries(encoded) });
  }

  /** Stages one request of the leader that ends now with this outcome. */
  ended(message: Partial<Message>, outcome: Partial<Omit<Ended, "message">> = {}): void {
    const whole: Message = { ...this.#message(message) };
    for (const listen of this.#ended)
      listen({ message: whole, sentAt: this.scheduler.now, how: "answered", status: 200, body: "", ...outcome });
  }

  sent(message: Partial<Message>): void {
    for (const listen of this.#sent) listen(this.#message(message));
  }

  /** Stages one write of the worker. */
  written(write: Partial<Write>): void {
    const whole: Write = {
      time: EPOCH + this.scheduler.now,
      user: SYNC_USER,
      verb: "apply",
      resource: "secrets",
      subresource: "",
      namespace: undefined,
      name: "",
      uidBefore: undefined,
      uidAfter: undefined,
      resourceVersion: 1,
      isDryRun: false,
      ...write,
    };
    for (const listen of this.#written) listen(whole);
  }

  /** Stages the failure of a thread: refused, dead, or ended during its task. */
  threadFailed(): void {
    for (const listen of this.#threadTroubles) listen();
  }

  logged(line: Line): void {
    for (const listen of this.#lineListeners) listen(line);
  }

  exited(name: string, why: string): void {
    for (const listen of this.#exits) listen(name, why);
  }

  cloudRequest(request: Partial<CloudRequest>): void {
    const whole = { at: EPOCH + this.scheduler.now, host: "", path: "", status: 200, identity: undefined, ...request };
    for (const listen of this.#cloud) listen(whole);
  }

  async pass(milliseconds: number): Promise<void> {
    await this.scheduler.runUntil(this.scheduler.now + milliseconds);
  }

  #message(message: Partial<Message>): Message {
    return { machine: this.machine, host: "api.simulated", method: "GET", path: "/", headers: {}, body: "", ...message };
  }
}

/** A request to the team's vault as its application. */
export function vaultMessage({ vault, application }: Team, path: string): Partial<Message> {
  const claims = Buffer.from(JSON.stringify({ appid: application.appId })).toString("base64url");
  return { host: `${vault.name}.vault.azure.net`, path, headers: { authorization: `Bearer e30.${claims}.x` } };
}

/** A vault's list of its only object. */
export function listOf({ vault }: Team): string {
  return JSON.stringify({
    value: [...vault.objects.keys()].map((name) => ({ id: `https://${vault.name}.vault.azure.net/secrets/${name}` })),
  });
}
