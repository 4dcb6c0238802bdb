import type { Machine } from "./machine.ts";
import type { Random } from "./random.ts";

/** Something that happens at a moment of virtual time. */
interface Entry {
  at: number;
  /** Drawn: which of several at the same moment comes first. */
  readonly tie: number;
  readonly serial: number;
  readonly action: () => void;
  /** Where it happens; undefined: in the world outside of all machines. */
  readonly machine: Machine | undefined;
  /** It waits by the machine's own monotonic clock, which stands while the machine sleeps. */
  readonly isTimer: boolean;
  isCancelled: boolean;
}

export interface Scheduled {
  cancel(): void;
}

export interface ScheduleOptions {
  readonly machine?: Machine | undefined;
  readonly isTimer?: boolean;
}

/** The one order of everything: events by virtual time, ties by the seed. Between two events all promises settle. */
export class Scheduler {
  readonly #random: Random;
  /** A binary heap by time, tie, serial. */
  readonly #heap: Entry[] = [];
  readonly #settled: () => Promise<void>;
  readonly #enter: (machine: Machine | undefined, action: () => void) => void;
  #now = 0;
  #serial = 0;
  #events = 0;

  /** `settled` resolves when no promise has a reaction to run; `enter` runs an action as something that a machine does. */
  constructor(random: Random, settled: () => Promise<void>, enter: (machine: Machine | undefined, action: () => void) => void) {
    this.#random = random;
    this.#settled = settled;
    this.#enter = enter;
  }

  /** Virtual milliseconds since the start of the simulation, fractions included. */
  get now(): number {
    return this.#now;
  }

  /** Events that have happened. */
  get events(): number {
    return this.#events;
  }

  schedule(milliseconds: number, action: () => void, options: ScheduleOptions = {}): Scheduled {
    const entry: Entry = {
      at: this.#now + Math.max(milliseconds, 0),
      tie: this.#random.next(),
      serial: this.#serial++,
      action,
      machine: options.machine,
      isTimer: options.isTimer ?? false,
      isCancelled: false,
    };
    this.#push(entry);
    return {
      cancel: () => {
        entry.isCancelled = true;
      },
    };
  }

  /** The timers of a machine that slept come so much later. */
  shiftTimers(machine: Machine, milliseconds: number): void {
    for (const entry of this.#heap) if (entry.machine === machine && entry.isTimer) entry.at += milliseconds;
    for (let index = Math.floor(this.#heap.length / 2) - 1; index >= 0; index -= 1) this.#sink(index);
  }

  /** Lets time pass up to a moment; `onStep` is called after each event has settled, and ends the run by returning false. */
  async runUntil(end: number, onStep?: () => boolean): Promise<void> {
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.at > end) break;
      this.#pop();
      if (next.isCancelled || next.machine?.isAlive === false) continue;
      const ready = next.machine?.readyAt(next.at) ?? next.at;
      if (ready > next.at) {
        next.at = ready;
        this.#push(next);
        continue;
      }
      this.#now = Math.max(this.#now, next.at);
      this.#events += 1;
      this.#enter(next.machine, next.action);
      await this.#settled();
      if (onStep?.() === false) return;
    }
    this.#now = Math.max(this.#now, end);
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || isBefore(above, entry)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = entry;
  }

  #pop(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#sink(0);
  }

  #sink(from: number): void {
    const heap = this.#heap;
    const entry = heap[from];
    if (entry === undefined) return;
    let index = from;
    for (;;) {
      let child = 2 * index + 1;
      let least = heap[child];
      if (least === undefined) break;
      const right = heap[child + 1];
      if (right !== undefined && isBefore(right, least)) {
        child += 1;
        least = right;
      }
      if (isBefore(entry, least)) break;
      heap[index] = least;
      index = child;
    }
    heap[index] = entry;
  }
}

function isBefore(one: Entry, other: Entry): boolean {
  if (one.at !== other.at) return one.at < other.at;
  if (one.tie !== other.tie) return one.tie < other.tie;
  return one.serial < other.serial;
}
