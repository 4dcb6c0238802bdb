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

/** Over which the events of a phase are spread, about as long as it takes until a killed leader has a successor (milliseconds). */
const PHASE_MS = 17_000;

/** Of keys alone, and more than a vault gives in 10 seconds: all at once. */
const STORM = { events: 450, lengthMs: 1_000, keyEvery: 1 };
const KEY_EVERY = 3;
const KEYS_ASKED = 60;
const STORM_WITHIN_MS = 120_000;

const FIRST_SYNC_MS = 600_000;
/** Between two looks at all Secrets (milliseconds). */
const LOOK_MS = 1_000;

export interface RunOptions {
  readonly world: EventWorld;
  /** Whose processes the replicas are. */
  readonly product: Product;
  readonly replicas: Replicas;
  readonly random: Random;
  readonly prefix: string;
  readonly size: RunSize;
  /** Milliseconds of each; empty: the queue is not disturbed. */
  readonly troubles: readonly (readonly [Trouble, number])[];
  /** After the last disturbance, from one Secret or message to the next one, at most: any back-off, and the time that a message is hidden (milliseconds). */
  readonly settledMs: number;
}

export interface RunSize {
  readonly events: number;
  readonly kills: number;
  /** In the midst of a storm of events each. */
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
  /** That began during the run: also where a busy machine let a Lease run out. */
  readonly leaders: number;
  /** Secrets that lack a version whose event was delivered. */
  readonly lost: readonly string[];
  /** Messages that are never deleted, and classes that no event reaches any more. */
  readonly stuck: readonly string[];
  readonly budget: BudgetUse;
}

/** Events under way while the queue goes away and leaders die. */
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

/** Each phase has events of objects of its own, and a change of leader in it. The queue's troubles go on beside them, with calm between them. */
async function disturbed(options: RunOptions, plans: readonly PhasePlan[], under: Underway): Promise<readonly LeaderChange[]> {
  const { replicas, size, random } = options;
  const changes: LeaderChange[] = [];
  let first = 0;
  let trouble = Promise.resolve();
  for (const [phase, plan] of plans.entries()) {
    const noticed = troublesOf(options, phase).map(([what, lengthMs]) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      trouble = trouble.then(() => runTrouble(options, { trouble: what, lengthMs, onNoticed: resolve }));
      // Told at the end, where it is awaited.
      trouble.catch(resolve);
      return promise;
    });
    const running = under.traffic.run(plan, first);
    running.catch(() => undefined);
    // Leaders that live shorter than a request may take would notice no queue that hangs.
    await Promise.all(noticed);
    if (phase < size.kills) changes.push(await killLeader(replicas, random.integer(0, 8_000)));
    if (phase > size.kills) changes.push(await inStorm(options, under.meter));
    await running;
    first += plan.objects.length;
    // A storm meets a queue that is there, and a worker with nothing else to do.
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

/** Spread over the phases after the first one, as long as leaders are killed. */
function troublesOf({ size: { kills }, troubles }: RunOptions, phase: number): RunOptions["troubles"] {
  return troubles.filter((_, index) => Math.min(kills, 1 + Math.floor((index * kills) / troubles.length)) === phase);
}

/** Once the leader has asked for more keys than it may at once. */
async function inStorm({ replicas }: RunOptions, meter: VaultMeter): Promise<LeaderChange> {
  const from = Date.now();
  const isAsking = async (): Promise<boolean> => {
    const to = await meter.now();
    return meter.between(from, to).filter(({ path }) => path.startsWith("/keys/")).length > KEYS_ASKED;
  };
  await eventually(isAsking, { within: STORM_WITHIN_MS, what: "a leader that asks for keys" });
  return handOver(replicas);
}

/** What is left when nothing is, or once it has not become less for so many milliseconds: how fast the machine is, is not asked. */
async function left(look: () => Promise<readonly string[]>, patienceMs: number): Promise<readonly string[]> {
  let found = await look();
  for (let last = performance.now(); found.length > 0 && performance.now() < last + patienceMs; ) {
    await pause(LOOK_MS);
    const now = await look();
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

/** An event for each class once more: whoever is looked at still has its version. */
async function unreachedClasses({ world, settledMs }: RunOptions, ground: Ground): Promise<readonly string[]> {
  const traffic = new Traffic(world, ground);
  const before = new Set(await ground.behind());
  const steps = ground.ofEachClass.map((object): Step => ({ kind: "rotation", at: 0, object, schema: "cloudEvents", deliveries: [0] }));
  await traffic.run({ steps }, 0);
  await traffic.delivery();
  return left(async () => (await ground.behind()).filter((one) => !before.has(one)), settledMs);
}
