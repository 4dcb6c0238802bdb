import type { Team } from "./team.ts";

// The program of a decoding thread: it listens at the simulated port.
import "../../../src/pki/threads/thread.ts";
import { stateMethods } from "../../../tools/key-vault-emulator/control/state-methods.ts";
import { createWorld, type World as EmulatedClouds } from "../../../tools/key-vault-emulator/world.ts";
import { VERSION } from "../../../tools/repository-files.ts";
import type { Write } from "../api/interface.ts";
import { isGranted } from "../api/rights.ts";
import type { SimulatedProcess } from "../machines/process.ts";
import { type Ended, Fabric, type Message, type Weather } from "../network/fabric.ts";
import { idleConnections } from "../network/idle-connections.ts";
import { useHttpsFabric } from "../network/install.ts";
import { useFabric } from "../network/undici-agent.ts";
import { type CloudClock, type CloudRequest, cloudParty } from "../parties/clouds.ts";
import { TOKEN_KEY } from "../parties/token-key.ts";
import { beginWorld, note } from "../time/context.ts";
import type { Random } from "../time/random.ts";
import type { Scheduler } from "../time/scheduler.ts";
import type { Trace } from "../time/trace.ts";
import { emptyTeam, podCame, podWent, writeClass, writeCredentials } from "./authors.ts";
import { isGrantedBlindly } from "./blind-rights.ts";
import { Budgets } from "./budgets.ts";
import { drawClass, drawMountedClass } from "./classes.ts";
import { API_HOST, Cluster, releaseManifests } from "./cluster.ts";
import { copying, type LiveCopies } from "./copies.ts";
import { deploy, deployMounting } from "./deployments.ts";
import { Driver } from "./driver.ts";
import { CONFIGURATIONS, ENFORCER, Enforcer } from "./enforcer.ts";
import { EventQueue, signClusterToken } from "./event-queue.ts";
import { GREEDY, greedyTenant } from "./greedy.ts";
import { SimulationLog } from "./log.ts";
import { drawPace } from "./pace.ts";
import { Processes } from "./processes.ts";
import { type Shards, startShards } from "./shards.ts";
import { type Size, USUAL } from "./sizes.ts";
import { startThreads, type Threads } from "./threads.ts";
import { Vaults } from "./vaults.ts";
import { Workloads } from "./workloads.ts";

export const SYNC_USER = "system:serviceaccount:keyvault-injector:keyvault-injector-sync";
const WEBHOOK_USER = "system:serviceaccount:keyvault-injector:keyvault-injector-webhook";
/** Another install, in a namespace of its own. */
const SECOND = "second-install";
export const SECOND_USER = `system:serviceaccount:${SECOND}:keyvault-injector-sync`;
const TOKEN_LIFETIME_SECONDS = 3_600;
const TENANT = "11111111-2222-3333-4444-555555555555";

/** As the worker is told: long enough after its last pod a `while-used` class keeps its Secrets. */
export const UNUSED_GRACE_MS = 5 * 60_000;

const MOST_CLASSES = 12;

/** Of teams with one class (minutes): few polls, each of which counts. */
const SOLITARY_INTERVALS = [10, 30, 60];

/** Of each vault. */
const CERTIFICATES = 3;

/** Of the worlds. */
const GREEDY_SHARE = 1 / 8;
const ENFORCED_SHARE = 1 / 3;
const BLIND_SHARE = 1 / 6;
const FEW_SHARE = 1 / 3;
const BUDGETS_SHARE = 1 / 3;

/** Something that ended, or went wrong, in a line that a person can read. */
export interface Reported {
  /** Virtual milliseconds. */
  readonly at: number;
  readonly text: string;
}

export interface World {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly fabric: Fabric;
  readonly cluster: Cluster;
  readonly clouds: EmulatedClouds;
  readonly cloudClock: CloudClock;
  readonly vaults: Vaults;
  readonly teams: readonly Team[];
  readonly replicas: readonly SimulatedProcess[];
  /** What is wrong on the network at the moment; the first that says something of a request decides. */
  readonly weathers: Set<Weather>;
  readonly threads: Threads;
  readonly workloads: Workloads;
  readonly driver: Driver;
  /** Where the worker respects PodDisruptionBudgets. */
  readonly budgets: Budgets | undefined;
  /** `--max-rollouts`; undefined: as many as like. */
  readonly maxRollouts: number | undefined;
  /** `--shards` of replicas that start from now on; more than one is the most that this world ever has. */
  readonly shards: Shards;
  /** `--secret-access=blind`: the worker sees no Secret that it has written. */
  readonly isBlind: boolean;
  /** The webhook's. */
  readonly copies: LiveCopies;
  /** Where the worker reads one. */
  readonly events: EventQueue | undefined;
  /** Where the cluster's platform has one. */
  readonly enforcer: Enforcer | undefined;
  readonly log: SimulationLog;
  readonly reported: Reported[];
  readonly trace: Trace;
  /** A worker of a second install. */
  startStray(): SimulatedProcess;
  report(text: string): void;
  onWrite(listener: (write: Write) => void): void;
  onCloudRequest(listener: (request: CloudRequest) => void): void;
  onSend(listener: (message: Message) => void): void;
  /** A replica ended, and why. */
  onExit(listener: (name: string, why: string) => void): void;
  onEnded(listener: (ended: Ended) => void): void;
  end(): void;
}

/** How a world begins, where it is not the usual one. */
export interface Starts {
  readonly size?: Size;
  /** Block of the trace that is kept as text. */
  readonly keptBlock?: number | undefined;
}

export async function startWorld(seed: number, { size = USUAL, keptBlock }: Starts = {}): Promise<World> {
  const { scheduler, random, trace } = beginWorld(seed, keptBlock);
  const clouds = await createWorld(TOKEN_LIFETIME_SECONDS, TOKEN_KEY);
  const fabric = new Fabric(scheduler, random.fork("network"));
  useFabric(fabric);
  useHttpsFabric(fabric);
  const listeners = {
    write: [] as ((write: Write) => void)[],
    cloud: [] as ((request: CloudRequest) => void)[],
    send: [] as ((message: Message) => void)[],
    exit: [] as ((name: string, why: string) => void)[],
    ended: [] as ((ended: Ended) => void)[],
  };
  const isBlind = random.fork("rights").chance(size.oddities * BLIND_SHARE);
  const cluster = new Cluster({
    scheduler,
    // A second install has rights of its own, which nobody looks at here.
    authorize: (attributes, objects) => attributes.user === SECOND_USER || (isBlind ? isGrantedBlindly : isGranted)(attributes, objects),
    random: random.fork("api"),
    signToken: signClusterToken,
    onWrite: (write) => {
      note(JSON.stringify(write));
      for (const listen of listeners.write) listen(write);
    },
  });
  const cloudClock: CloudClock = { skewMs: 0 };
  fabric.serve((host) => (host === API_HOST ? cluster.party : undefined));
  fabric.serve(
    cloudParty(clouds, cloudClock, (request) => {
      for (const listen of listeners.cloud) listen(request);
    }),
  );
  const weathers = new Set<Weather>();
  const threads = startThreads(random.fork("threads"));
  fabric.onEnded = (ended) => {
    for (const listen of listeners.ended) listen(ended);
  };
  fabric.keepsBody = ({ host }) => host !== API_HOST;
  const isVault = ({ host }: Message): boolean => host.endsWith(".vault.azure.net");
  const idle = idleConnections(() => scheduler.now, random.fork("idle connections"), isVault);
  fabric.weather = (message) => {
    for (const listen of listeners.send) listen(message);
    for (const weather of weathers) {
      const fate = weather(message);
      if (fate !== undefined) return fate;
    }
    return events?.check(message) ?? idle(message);
  };
  await install(cluster, scheduler);
  const eventQueue = { cluster, clouds, cloudClock, scheduler, tenantId: TENANT, hasOwnPace: size.hasOwnPace };
  const hasEvents = random.fork("has events").chance(size.eventQueues);
  const events = hasEvents ? new EventQueue({ ...eventQueue, random: random.fork("events") }) : undefined;
  if (events !== undefined) fabric.serve(events.party);
  const vaults = new Vaults(stateMethods(clouds), () => scheduler.now, random.fork("values"));
  vaults.onVersion = (version) => events?.grid.announce(version);
  const teams = await settle({ cluster, vaults, random: random.fork("teams"), size });
  const teamOf = (namespace: string): Team | undefined => teams.find((team) => team.namespace === namespace);
  const driver = new Driver({ cluster, scheduler, random: random.fork("driver"), teamOf });
  const workloads = startWorkloads({ cluster, scheduler, teams, driver, random: random.fork("workloads") });
  listeners.write.push(({ resource, subresource, namespace = "", name, verb, isDryRun }) => {
    if (isDryRun || subresource !== "") return;
    if (resource === "deployments.apps") workloads.note(namespace, name);
    if (resource === "pods" && verb === "delete") workloads.notePodGone(namespace, name);
  });
  deployFirst(cluster, teams, random.fork("deployments"));
  mountFirst({ cluster, teams, random: random.fork("mounted"), share: size.mounted });
  const log = new SimulationLog(2_000);
  const reported: Reported[] = [];
  const report = (text: string): void => {
    note(text);
    reported.push({ at: scheduler.now, text });
  };
  const ended = (name: string, why: string): void => {
    report(`${name} ended: ${why}`);
    for (const listen of listeners.exit) listen(name, why);
  };
  const pace = drawPace(random.fork("pace"), size.hasOwnPace);
  const processes = new Processes({ cluster, scheduler, random, log, pace });
  const limits = random.fork("limits of restarts");
  const maxRollouts = limits.chance(size.oddities * FEW_SHARE) ? 1 + limits.below(3) : undefined;
  // A worker that heals its own role takes a rule of somebody else's for a mistake.
  const hasBudgets = limits.chance(size.oddities * BUDGETS_SHARE) && pace.flags.length > 0;
  const budgets = hasBudgets ? new Budgets({ cluster, scheduler, random: random.fork("budgets"), workloads }) : undefined;
  const share = events === undefined && pace.flags.length > 0 ? size.shards : 0;
  const shards = startShards(random.fork("shards"), { share, most: Math.min(size.replicas - 1, maxRollouts ?? size.replicas) });
  const rolloutFlags = [
    ...(maxRollouts === undefined ? [] : [`--max-rollouts=${maxRollouts}`]),
    ...(budgets === undefined ? [] : ["--respect-disruption-budgets=true"]),
  ];
  const replicas = Array.from({ length: size.replicas }, (_, index) =>
    processes.worker(
      { name: `sync-${index}`, user: SYNC_USER, onEnd: ended },
      { unusedGraceMs: UNUSED_GRACE_MS, isBlind, eventQueue: events?.setting, flags: () => [...rolloutFlags, `--shards=${shards.count}`] },
    ),
  );
  const toldOnly = (name: string, why: string): void => report(`${name} ended: ${why}`);
  const copies: LiveCopies = { classes: undefined, namespaces: undefined };
  processes.start({ name: "webhook-0", user: WEBHOOK_USER, onEnd: toldOnly }, copying(copies));
  const enforcer = random.fork("platform").chance(size.oddities * ENFORCED_SHARE)
    ? new Enforcer({ cluster, scheduler, random: random.fork("enforcer") })
    : undefined;
  listeners.write.push(({ resource, user, isDryRun }) => {
    if (resource === CONFIGURATIONS && user !== ENFORCER && !isDryRun) enforcer?.note();
  });
  enforcer?.note();
  let strays = 0;
  return {
    scheduler,
    random,
    fabric,
    cluster,
    clouds,
    cloudClock,
    vaults,
    teams,
    replicas,
    weathers,
    threads,
    workloads,
    driver,
    budgets,
    maxRollouts,
    shards,
    isBlind,
    copies,
    events,
    enforcer,
    log,
    reported,
    trace,
    report,
    onWrite: (listener) => void listeners.write.push(listener),
    onCloudRequest: (listener) => void listeners.cloud.push(listener),
    onSend: (listener) => void listeners.send.push(listener),
    onExit: (listener) => void listeners.exit.push(listener),
    onEnded: (listener) => void listeners.ended.push(listener),
    startStray: () => {
      strays += 1;
      const wanted = { name: `stray-${strays}`, user: SECOND_USER, onEnd: toldOnly };
      return processes.worker(wanted, { unusedGraceMs: UNUSED_GRACE_MS, namespace: SECOND });
    },
    end: () => processes.end(),
  };
}

async function install(cluster: Cluster, scheduler: Scheduler): Promise<void> {
  cluster.apply(releaseManifests("crds.yaml", VERSION));
  await scheduler.runUntil(2_000);
  cluster.apply(releaseManifests("keyvault-injector.yaml", VERSION));
  await scheduler.runUntil(3_000);
}

interface Settling {
  readonly cluster: Cluster;
  readonly vaults: Vaults;
  readonly random: Random;
  readonly size: Size;
}

async function settle({ cluster, vaults, random, size }: Settling): Promise<readonly Team[]> {
  const teams: Team[] = [];
  for (let index = 0; index < size.teams + size.solitary; index += 1) {
    const namespace = `team-${index}`;
    // Two teams share a vault, each with an application of its own.
    const name = `vault-${Math.floor(index / 1.5)}`;
    const vault = vaults.all.get(name) ?? (await vaults.create(name, TENANT));
    for (let object = 0; vault.objects.size < size.objects; object += 1) await vaults.rotate(vault, `object-${object}`);
    for (let certificate = 0; certificate < CERTIFICATES; certificate += 1) await vaults.rotateCertificate(vault, `cert-${certificate}`);
    const application = await vaults.application(TENANT, [name], random.chance(size.listers));
    teams.push({ ...emptyTeam(), namespace, vault, application, mostClasses: index < size.teams ? MOST_CLASSES : 1 });
    cluster.request("POST", "/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
    writeCredentials(cluster, namespace, application);
  }
  for (let index = 0; index < size.classes; index += 1) {
    const team = teams[index % size.teams];
    if (team === undefined) continue;
    const wanted = drawClass(random, { namespace: team.namespace, name: `class-${index}`, vault: team.vault });
    writeClass(cluster, team, wanted);
  }
  for (const team of teams.slice(size.teams)) {
    const drawn = drawClass(random, { namespace: team.namespace, name: "alone", vault: team.vault });
    writeClass(cluster, team, { ...drawn, sync: undefined, intervalMinutes: random.pick(SOLITARY_INTERVALS) });
  }
  const [victim] = teams;
  if (victim !== undefined && random.chance(size.oddities * GREEDY_SHARE)) teams.push(await greedyTenant({ cluster, vaults }, victim));
  return teams;
}

interface StartingWorkloads {
  readonly driver: Driver;
  readonly cluster: Cluster;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly teams: readonly Team[];
}

function startWorkloads({ teams, ...options }: StartingWorkloads): Workloads {
  const byNamespace = new Map(teams.map((team) => [team.namespace, team]));
  return new Workloads({
    ...options,
    secretsOf: (classKey) => {
      const [namespace = "", name = ""] = classKey.split("/");
      const team = byNamespace.get(namespace);
      return (team?.classes.get(name) ?? team?.mounted.get(name))?.secrets.map((secret) => secret.name);
    },
    isMounted: (namespace, className) => byNamespace.get(namespace)?.mounted.has(className) === true,
    onPod: (namespace, pod, className) => {
      const team = byNamespace.get(namespace);
      if (team === undefined) return;
      if (className === undefined) podWent(team, pod, options.scheduler.now);
      else podCame(team, pod, className);
    },
  });
}

interface MountingFirst {
  readonly cluster: Cluster;
  readonly teams: readonly Team[];
  readonly random: Random;
  readonly share: number;
}

function mountFirst({ cluster, teams, random, share }: MountingFirst): void {
  for (const team of teams.filter(({ namespace, mostClasses }) => namespace !== GREEDY && mostClasses > 1)) {
    if (!random.chance(share)) continue;
    const wanted = drawMountedClass(random, { namespace: team.namespace, name: "mounted", vault: team.vault });
    if (writeClass(cluster, team, wanted)) deployMounting(cluster, team, { name: "mounting-0", className: wanted.name, random });
  }
}

const FIRST_WORKLOADS = 2;

function deployFirst(cluster: Cluster, teams: readonly Team[], random: Random): void {
  for (const team of teams.filter(({ namespace, classes }) => namespace !== GREEDY && classes.size > 0))
    for (let index = 0; index < FIRST_WORKLOADS; index += 1) deploy(cluster, team, { name: `app-${index}`, random });
}
