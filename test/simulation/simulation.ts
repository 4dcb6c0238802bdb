/** One simulation: a world, its people, its faults, and its invariants. Everything follows from the seed. */
import { aimedFaults } from "./faults/aimed.ts";
import { clusterFaults } from "./faults/cluster.ts";
import { driverFaults } from "./faults/driver.ts";
import { eventQueueFaults } from "./faults/event-queues.ts";
import { type FaultKind, MINUTE } from "./faults/fault.ts";
import { machineFaults } from "./faults/machines.ts";
import { networkFaults } from "./faults/network.ts";
import { podFaults } from "./faults/pods.ts";
import { FaultSpans } from "./faults/spans.ts";
import { strayFaults } from "./faults/stray.ts";
import { threadFaults } from "./faults/threads.ts";
import { unseenPodFaults } from "./faults/unseen-pods.ts";
import { workloadFaults } from "./faults/workloads.ts";
import { listsAreEnough } from "./invariants/asking.ts";
import { classesAreChecked } from "./invariants/checked.ts";
import { statusesAreTrue } from "./invariants/claims.ts";
import { restartsKeepBudgets, restartsKeepHours, restartsStayFew } from "./invariants/controls.ts";
import { deletionsAreLeft } from "./invariants/crds.ts";
import { eventsEnd, leaderReadsEvents } from "./invariants/event-queue.ts";
import { eventsArrive } from "./invariants/events.ts";
import { unusedKeepsGrace } from "./invariants/grace.ts";
import type { Invariant, Violation } from "./invariants/invariant.ts";
import { leaderWrites, oneNumberOfShards } from "./invariants/leader.ts";
import { leaseIsKept, leaseIsTaken } from "./invariants/lease.ts";
import { filesComeFirst, mountsAreCurrent } from "./invariants/mounted.ts";
import { copiesAreCurrent, enforcedStays, secondDoesNothing } from "./invariants/others.ts";
import { noOwnErrors, replicasEndForReasons } from "./invariants/processes.ts";
import { littleIsPrompt } from "./invariants/prompt.ts";
import { quarantineHasReasons } from "./invariants/quarantine.ts";
import { nothingAtRest, REST_MS } from "./invariants/rest.ts";
import { restartsReach, restartsTakeTurns } from "./invariants/rollouts.ts";
import { classesStay, foreignStays, secretsMatch, valuesStayHome } from "./invariants/secrets.ts";
import { vaultBudget } from "./invariants/vault-budget.ts";
import { Watching } from "./invariants/watching.ts";
import { whileUsed } from "./invariants/while-used.ts";
import type { Random } from "./time/random.ts";
import { applyLostClasses } from "./users/lost-classes.ts";
import type { OperationKind } from "./users/operation.ts";
import { OPERATIONS } from "./users/operations.ts";
import { WORLDS, type WorldName } from "./world/sizes.ts";
import { startWorld, type World } from "./world/world.ts";

export const FAULTS: readonly FaultKind[] = [
  ...networkFaults,
  ...machineFaults,
  ...clusterFaults,
  ...aimedFaults,
  ...unseenPodFaults,
  ...threadFaults,
  ...podFaults,
  ...workloadFaults,
  ...strayFaults,
  ...eventQueueFaults,
  ...driverFaults,
];
export const INVARIANTS: readonly Invariant[] = [
  secretsMatch,
  classesStay,
  valuesStayHome,
  foreignStays,
  leaderWrites,
  oneNumberOfShards,
  nothingAtRest,
  statusesAreTrue,
  classesAreChecked,
  vaultBudget,
  littleIsPrompt,
  whileUsed,
  restartsTakeTurns,
  restartsReach,
  copiesAreCurrent,
  enforcedStays,
  secondDoesNothing,
  leaseIsKept,
  leaseIsTaken,
  listsAreEnough,
  unusedKeepsGrace,
  replicasEndForReasons,
  noOwnErrors,
  quarantineHasReasons,
  eventsArrive,
  leaderReadsEvents,
  eventsEnd,
  filesComeFirst,
  mountsAreCurrent,
  restartsKeepHours,
  restartsStayFew,
  restartsKeepBudgets,
  deletionsAreLeft,
];

const HOUR = 60 * MINUTE;

/** Time with faults and people, after which a quiet time follows until everything must be right. */
const BUSY_MS = 4 * HOUR;
/** The longest interval of a class, its back-off, and the rest in which the worker must not write. */
export const QUIET_MS = 60 * MINUTE + 15 * MINUTE + REST_MS;

export interface Options {
  readonly seed: number;
  readonly hours: number;
  /** Numbers of the plan's steps to carry out; all if undefined. Used to find the smallest plan that still fails. */
  readonly only?: ReadonlySet<number> | undefined;
  /** Default: `usual`. */
  readonly world?: WorldName | undefined;
  /** Number of the trace block to keep as text. */
  readonly keptBlock?: number | undefined;
  /** Called every simulated minute. A control uses it to disturb the run. */
  readonly haunt?: (() => void) | undefined;
}

export interface Outcome {
  readonly seed: number;
  readonly world: WorldName;
  readonly hours: number;
  readonly faults: number;
  readonly faultKinds: readonly string[];
  /** Faults that overlap with another fault. */
  readonly overlapping: number;
  readonly steps: number;
  readonly events: number;
  readonly exchanges: number;
  readonly violations: readonly Violation[];
  /** Reports of what happened, oldest first. */
  readonly reported: World["reported"];
  readonly log: World["log"];
  readonly trace: World["trace"];
}

export async function simulate({ seed, hours, only, world: name = "usual", keptBlock, haunt }: Options): Promise<Outcome> {
  const world = await startWorld(seed, { size: WORLDS[name], keptBlock });
  const watching = new Watching(world, INVARIANTS, haunt);
  applyLostClasses(world);
  const plan = new Plan(world, only);
  const end = hours * HOUR;
  while (world.scheduler.now < end && watching.isWell) {
    await plan.run(BUSY_MS, () => watching.isWell && world.scheduler.now < end);
    if (!watching.isWell || world.scheduler.now >= end) break;
    plan.endAll();
    await world.scheduler.runUntil(world.scheduler.now + QUIET_MS, () => watching.isWell);
    if (watching.isWell) watching.rest();
  }
  world.end();
  const { scheduler, fabric, reported, log, trace } = world;
  return {
    seed,
    world: name,
    hours: scheduler.now / HOUR,
    faults: plan.faults.count,
    faultKinds: plan.faults.kinds,
    overlapping: plan.faults.overlapping,
    steps: plan.steps,
    events: scheduler.events,
    exchanges: fabric.exchanges,
    violations: watching.violations,
    reported,
    log,
    trace,
  };
}

/** Mean time between two faults. With the quiet times, there is one fault every six to eight minutes. People do something every minute. */
const FAULT_EVERY_MS = 4.5 * MINUTE;
const ACT_EVERY_MS = MINUTE;

/** Draws each step independently of what has happened, so that leaving out a step changes no other step. */
class Plan {
  readonly #world: World;
  readonly #only: ReadonlySet<number> | undefined;
  readonly #random: Random;
  readonly #ends = new Set<() => void>();
  /** Faults that are possible in this world. */
  readonly #kinds: readonly FaultKind[];
  readonly faults = new FaultSpans();
  steps = 0;

  constructor(world: World, only: ReadonlySet<number> | undefined) {
    this.#world = world;
    this.#only = only;
    this.#kinds = FAULTS.filter(({ needs }) => needs?.(world) !== false);
    this.#random = world.random.fork("plan");
  }

  async run(milliseconds: number, onStep: () => boolean): Promise<void> {
    const { scheduler } = this.#world;
    const end = scheduler.now + milliseconds;
    for (let at = scheduler.now + this.#wait(FAULT_EVERY_MS); at < end; at += this.#wait(FAULT_EVERY_MS)) this.#planFault(at);
    for (let at = scheduler.now + this.#wait(ACT_EVERY_MS); at < end; at += this.#wait(ACT_EVERY_MS)) this.#planOperation(at);
    await scheduler.runUntil(end, onStep);
  }

  /** Ends all faults that still last. */
  endAll(): void {
    for (const end of this.#ends) end();
    this.#ends.clear();
  }

  #wait(mean: number): number {
    return mean * (0.2 + 0.8 * -Math.log(1 - this.#random.next()));
  }

  /** Draws a random stream for `act` now, so that its draws, which depend on the world, do not change any later step. */
  #plan(at: number, act: (random: Random) => string | undefined): void {
    const number = this.steps++;
    const random = this.#random.fork(`step ${number}`);
    if (this.#only?.has(number) === false) return;
    const { scheduler } = this.#world;
    scheduler.schedule(at - scheduler.now, () => {
      const text = act(random);
      if (text !== undefined) this.#world.report(`${number}: ${text}`);
    });
  }

  #planFault(at: number): void {
    const kind = this.#random.pick(this.#kinds);
    this.#plan(at, (random) => {
      const lasts = kind.longestMs * random.between(0.1, 1);
      const end = kind.begin(this.#world, random);
      const ended = this.faults.begin(kind.name, this.#world.scheduler.now, end === undefined);
      const endAll = (): void => {
        end?.();
        ended(this.#world.scheduler.now);
      };
      if (end !== undefined) this.#endLater(kind.name, endAll, lasts);
      return kind.longestMs === 0 ? kind.name : `${kind.name}, for ${(lasts / MINUTE).toFixed(1)} minutes`;
    });
  }

  #endLater(name: string, end: () => void, milliseconds: number): void {
    const once = (): void => {
      if (!this.#ends.delete(once)) return;
      end();
      this.#world.report(`over: ${name}`);
    };
    this.#ends.add(once);
    this.#world.scheduler.schedule(milliseconds, once);
  }

  #planOperation(at: number): void {
    const kind = this.#drawOperation();
    this.#plan(at, (random) => kind.act(this.#world, random));
  }

  #drawOperation(): OperationKind {
    const all = OPERATIONS.reduce((sum, { weight }) => sum + weight, 0);
    let left = this.#random.next() * all;
    const drawn = OPERATIONS.find(({ weight }) => {
      left -= weight;
      return left < 0;
    });
    return drawn ?? this.#random.pick(OPERATIONS);
  }
}
