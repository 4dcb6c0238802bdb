import { setTimeout as pause } from "node:timers/promises";
import { meterVaults, type VaultMeter } from "../../load/sync/vault-meter.ts";
import type { Product } from "../../support/cluster/product.ts";
import type { Random } from "../../support/fixtures/random.ts";
import { eventually } from "../../support/time/eventually.ts";
import { samplesOf } from "../../support/worker/metric-samples.ts";
import type { Replicas } from "../replicas.ts";
import { type BudgetUse, useOf } from "./budget.ts";
import { Ground } from "./ground.ts";
import { handOver, killLeader, type LeaderChange, leaderStarts } from "./leaders.ts";
import { type PhasePlan, planPhase, type Step } from "./plan.ts";
import { Traffic } from "./traffic.ts";
import { runTrouble, type Trouble } from "./troubles.ts";
import type { EventWorld } from "./world.ts";

/** Time in milliseconds over which a phase's events are spread, about as long as a killed leader's successor needs to start. */
const PHASE_MS = 17_000;

/** A storm of events at once for keys only, more than a vault allows in 10 seconds. */
const STORM = { events: 450, lengthMs: 1_000, keyEvery: 1 };
const KEY_EVERY = 3;
const KEYS_ASKED = 60;
const STORM_WITHIN_MS = 120_000;

const FIRST_SYNC_MS = 600_000;
/** Interval in milliseconds between two checks of all Secrets. */
const LOOK_MS = 1_000;

export interface RunOptions {
  readonly world: EventWorld;
  /** Product whose processes are the replicas. */
  readonly product: Product;
  readonly replicas: Replicas;
  readonly random: Random;
  readonly prefix: string;
  readonly size: RunSize;
  /** Troubles with their length in milliseconds. Empty if the queue is not disturbed. */
  readonly troubles: readonly (readonly [Trouble, number])[];
  /** Longest time in milliseconds without progress after the last disturbance: any back-off, and the time for which a message is hidden. */
  readonly settledMs: number;
}

export interface RunSize {
  readonly events: number;
  readonly kills: number;
  /** Number of hand-overs, each during a storm of events. */
  readonly handOvers: number;
}

export interface RunResult {
  readonly events: number;
  readonly duplicates: number;
  readonly malformed: number;
  readonly rotations: number;
  readonly objects: number;
  readonly classes: number;
  readonly changes: readonly LeaderChange[];
  /** Number of leaders that began during the run, including those after a Lease that expired on a busy machine. */
  readonly leaders: number;
  /** Secrets that lack a version whose event was delivered. */
  readonly lost: readonly string[];
  /** Messages that are never deleted, and classes that no event reaches any more. */
  readonly stuck: readonly string[];
  readonly budget: BudgetUse;
}

/** Delivers events while the queue fails and leaders end. */
export async function runEvents(options: RunOptions): Promise<RunResult> {
  const { world, product, prefix } = options;
  const plans = plansOf(options);
  const ground = new Ground(
    { ...world, prefix },
    plans.flatMap(({ objects }) => objects),
  );
  const meter = meterVaults(world.emulator);
  try {
    await firstSync(ground);
    const [from, before] = [await meter.now(), ground.rotations];
    const traffic = new Traffic(world, ground);
    const changes = await disturbed(options, plans, { ground, traffic, meter });
    await traffic.delivery();
    const rotations = ground.rotations - before;
    const lost = await left(() => ground.behind(), options.settledMs);
    const stuck = [...(await left(() => messagesLeft(options), options.settledMs)), ...(await unreachedClasses(options, ground))];
    const to = await meter.now();
    const starts = leaderStarts(product.logs()).filter((start) => start >= from);
    return {
      events: traffic.delivered,
      duplicates: sumOf(plans, "duplicates"),
      malformed: sumOf(plans, "noise"),
      rotations,
      objects: ground.size,
      classes: ground.classes,
      changes,
      leaders: starts.length,
      lost,
      stuck,
      budget: useOf(meter.between(from, to), starts),
    };
  } finally {
    await meter.stop();
  }
}

function plansOf({ size: { events, kills, handOvers }, random }: RunOptions): readonly PhasePlan[] {
  const calm = Math.max(0, events - handOvers * STORM.events);
  const phases = kills + 1;
  const sizes = Array.from({ length: phases }, (_, phase) => {
    const share = Math.round((calm * (phase + 1)) / phases) - Math.round((calm * phase) / phases);
    return { events: share, lengthMs: PHASE_MS, keyEvery: KEY_EVERY };
  });
  return [...sizes, ...Array.from({ length: handOvers }, () => STORM)].map((size) => planPhase(size, random));
}

function sumOf(plans: readonly PhasePlan[], what: "duplicates" | "noise"): number {
  return plans.reduce((sum, plan) => sum + plan[what], 0);
}

async function firstSync(ground: Ground): Promise<void> {
  await ground.settle();
  await eventually(async () => (await ground.behind()).length === 0, { within: FIRST_SYNC_MS, every: 1_000, what: "the first sync" });
  await ground.deleteOne();
}

/**
 * Each phase has events for its own objects, and one change of leader. The troubles of the queue run at the same time, with calm periods
 * between them.
 */
async function disturbed(options: RunOptions, plans: readonly PhasePlan[], under: Underway): Promise<readonly LeaderChange[]> {
  const { replicas, size, random } = options;
  const changes: LeaderChange[] = [];
  let first = 0;
  let trouble = Promise.resolve();
  for (const [phase, plan] of plans.entries()) {
    const noticed = troublesOf(options, phase).map(([what, lengthMs]) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      trouble = trouble.then(() => runTrouble(options, { trouble: what, lengthMs, onNoticed: resolve }));
      // The error is thrown where `trouble` is awaited at the end.
      trouble.catch(resolve);
      return promise;
    });
    const running = under.traffic.run(plan, first);
    running.catch(() => undefined);
    // Otherwise leaders could end before a request to a hanging queue times out, and none would notice the trouble.
    await Promise.all(noticed);
    if (phase < size.kills) changes.push(await killLeader(replicas, random.integer(0, 8_000)));
    if (phase > size.kills) changes.push(await inStorm(options, under.meter));
    await running;
    first += plan.objects.length;
    // A storm needs a working queue, and a worker that has nothing else to do.
    if (phase >= size.kills)
      await trouble.then(() => under.traffic.delivery()).then(() => left(() => under.ground.behind(), options.settledMs));
  }
  return changes;
}

interface Underway {
  readonly ground: Ground;
  readonly traffic: Traffic;
  readonly meter: VaultMeter;
}

/** Troubles of a phase. They are spread over the phases after the first one, as long as leaders are killed. */
function troublesOf({ size: { kills }, troubles }: RunOptions, phase: number): RunOptions["troubles"] {
  return troubles.filter((_, index) => Math.min(kills, 1 + Math.floor((index * kills) / troubles.length)) === phase);
}

/** Hands over after the leader has requested more keys than it may request at once. */
async function inStorm({ replicas }: RunOptions, meter: VaultMeter): Promise<LeaderChange> {
  const from = Date.now();
  const isAsking = async (): Promise<boolean> => {
    const to = await meter.now();
    return meter.between(from, to).filter(({ path }) => path.startsWith("/keys/")).length > KEYS_ASKED;
  };
  await eventually(isAsking, { within: STORM_WITHIN_MS, what: "a leader that asks for keys" });
  return handOver(replicas);
}

/**
 * Waits until `look` finds nothing, or until the result has not shrunk for this number of milliseconds, and returns the rest. The speed of
 * the machine does not matter.
 */
async function left(check: () => Promise<readonly string[]>, patienceMs: number): Promise<readonly string[]> {
  let found = await check();
  for (let last = performance.now(); found.length > 0 && performance.now() < last + patienceMs; ) {
    await pause(LOOK_MS);
    const now = await check();
    if (now.length < found.length) last = performance.now();
    found = now;
  }
  return found;
}

async function messagesLeft({ world, replicas }: RunOptions): Promise<readonly string[]> {
  const waiting = await world.waiting();
  const held = samplesOf(await (await replicas.leader()).process.metrics()).value("event_messages_in_hand") ?? 0;
  return [
    ...Array.from({ length: waiting }, () => "a message of the queue"),
    ...Array.from({ length: waiting === 0 ? held : 0 }, () => "a message that the leader holds"),
  ];
}

/** Sends one more event for each class. A class that the worker still serves gets its version. */
async function unreachedClasses({ world, settledMs }: RunOptions, ground: Ground): Promise<readonly string[]> {
  const traffic = new Traffic(world, ground);
  const before = new Set(await ground.behind());
  const steps = ground.ofEachClass.map((object): Step => ({ kind: "rotation", at: 0, object, schema: "cloudEvents", deliveries: [0] }));
  await traffic.run({ steps }, 0);
  await traffic.delivery();
  return left(async () => (await ground.behind()).filter((one) => !before.has(one)), settledMs);
}
