/** Whose time, chance and order is asked for: those of the machine that acts, else the world's. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Machine } from "./machine.ts";
import { Random } from "./random.ts";
import { Scheduler } from "./scheduler.ts";
import { Trace } from "./trace.ts";

const realSetImmediate = globalThis.setImmediate;
const current = new AsyncLocalStorage<Machine>();

/** Unix milliseconds of virtual time 0: a Monday. */
export const EPOCH = Date.UTC(2026, 0, 5);

/** One world at a time: what runs outside of one gets errors instead of time. */
let scheduler: Scheduler | undefined;
let worldRandom = new Random(0);
let trace = new Trace();

/**
 * What Node does by itself between two callbacks of its event loop: there is no other way to have promises settle without a turn of that loop,
 * which takes ten times as long as most events.
 */
const settle = (process as typeof process & { _tickCallback: () => void })._tickCallback; // Not in Node's types.

function enter(machine: Machine | undefined, action: () => void): void {
  if (machine === undefined) current.exit(action);
  else current.run(machine, action);
}

export interface Begun {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly trace: Trace;
}

/** Begins a world of its own at virtual time 0. `keptBlock`: of its trace, kept as text. */
export function beginWorld(seed: number, keptBlock?: number): Begun {
  const random = new Random(seed);
  worldRandom = random.fork("world");
  trace = new Trace(keptBlock);
  scheduler = new Scheduler(random.fork("order"), { enter, settle, note, outside: (action) => void realSetImmediate(action) });
  return { scheduler, random, trace };
}

/** One more thing that happened in this world. */
export function note(record: string): void {
  trace.note(record);
}

/** Runs what a machine does: time, chance and requests inside of it are the machine's. */
export function onMachine<T>(machine: Machine, action: () => T): T {
  return current.run(machine, action);
}

/** The machine that acts; undefined: the world outside. */
export function currentMachine(): Machine | undefined {
  return current.getStore();
}

export function activeScheduler(): Scheduler {
  if (scheduler === undefined) throw new Error("simulation: time was asked for before a world began");
  return scheduler;
}

/** Unix milliseconds by the clock of whoever asks. */
export function wall(): number {
  return Math.floor(current.getStore()?.wall ?? EPOCH + (scheduler?.now ?? 0));
}

/** Milliseconds by the monotonic clock of whoever asks. */
export function monotonic(): number {
  return current.getStore()?.monotonic ?? scheduler?.now ?? 0;
}

export function random(): Random {
  return current.getStore()?.random ?? worldRandom;
}
