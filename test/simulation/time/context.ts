/** Time, chance, and order for the running code: those of the machine that acts, or of the world if no machine acts. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Machine } from "./machine.ts";
import { Random } from "./random.ts";
import { Scheduler } from "./scheduler.ts";
import { Trace } from "./trace.ts";

const realSetImmediate = globalThis.setImmediate;
const current = new AsyncLocalStorage<Machine | undefined>();

/** Unix milliseconds of virtual time 0: a Monday. */
export const EPOCH = Date.UTC(2026, 0, 5);

/** There is one world at a time. Code that runs before a world gets errors instead of time. */
let scheduler: Scheduler | undefined;
let worldRandom = new Random(0);
let trace = new Trace();

/**
 * Runs the work that Node does by itself between two callbacks of its event loop. Without it, promises settle only after a turn of that
 * loop, which takes ten times as long as most events.
 */
const settle = (process as typeof process & { _tickCallback: () => void })._tickCallback; // Missing in Node's types.

/** Enters the machine until the next event, which enters its own machine. */
function enter(machine: Machine | undefined, action: () => void): void {
  current.enterWith(machine);
  action();
}

export interface Begun {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly trace: Trace;
}

/** Begins a new world at virtual time 0. `keptBlock`: number of the trace block to keep as text. */
export function beginWorld(seed: number, keptBlock?: number): Begun {
  const random = new Random(seed);
  worldRandom = random.fork("world");
  trace = new Trace(keptBlock);
  scheduler = new Scheduler(random.fork("order"), { enter, settle, note, outside: (action) => void realSetImmediate(action) });
  return { scheduler, random, trace };
}

/** Adds a record to the trace of this world. */
export function note(record: string): void {
  trace.note(record);
}

/** Runs an action of a machine: its time, chance, and requests are those of the machine. */
export function onMachine<T>(machine: Machine, action: () => T): T {
  return current.run(machine, action);
}

/** Returns the machine that acts; undefined if the world outside of the machines acts. */
export function currentMachine(): Machine | undefined {
  return current.getStore();
}

export function activeScheduler(): Scheduler {
  if (scheduler === undefined) throw new Error("simulation: time was asked for before a world began");
  return scheduler;
}

/** Returns the Unix milliseconds by the caller's clock. */
export function wall(): number {
  return Math.floor(current.getStore()?.wall ?? EPOCH + (scheduler?.now ?? 0));
}

/** Returns the milliseconds by the caller's monotonic clock. */
export function monotonic(): number {
  return current.getStore()?.monotonic ?? scheduler?.now ?? 0;
}

export function random(): Random {
  return current.getStore()?.random ?? worldRandom;
}
