import type { Machine } from "./machine.ts";
import type { Random } from "./random.ts";

/** An event at a moment of virtual time. */
class Entry {
  at: number;
  /** Drawn number that orders simultaneous events. */
  readonly tie: number;
  readonly serial: number;
  action: () => void;
  /** Machine of the event; undefined: the world outside of all machines. */
  readonly machine: Machine | undefined;
  /** Whether the event waits by the machine's own monotonic clock, which stands still while the machine sleeps. */
  readonly isTimer: boolean;
  isCancelled = false;

  constructor(order: { readonly at: number; readonly tie: number; readonly serial: number }, action: () => void, options: ScheduleOptions) {
    this.at = order.at;
    this.tie = order.tie;
    this.serial = order.serial;
    this.action = action;
    this.machine = options.machine;
    this.isTimer = options.isTimer ?? false;
  }

  /** Cancels the event, and releases its action at once: most scheduled events are timeouts, which hardly ever happen. */
  cancel(): void {
    this.isCancelled = true;
    this.action = NOTHING;
  }
}

const NOTHING = (): void => undefined;

export interface Scheduled {
  cancel(): void;
}

export interface ScheduleOptions {
  readonly machine?: Machine | undefined;
  readonly isTimer?: boolean;
}

/** The functions of Node that a scheduler needs. */
export interface Surroundings {
  /** Runs an action of a machine. */
  readonly enter: (machine: Machine | undefined, action: () => void) => void;
  /** Runs the reactions of promises, and ticks, until none are left. Works only outside of such a reaction. */
  readonly settle: () => void;
  /** Calls back from Node's event loop, outside of all reactions. */
  readonly outside: (action: () => void) => void;
  /** Records each event. */
  readonly note: (record: string) => void;
}

/** Number of events after which Node's own event loop gets a turn, in which it cleans up weak references. */
const EVENTS_PER_ROUND = 2_000;

/** Determines the order of all events: by virtual time, and by drawn numbers if simultaneous. All promises settle between two events. */
export class Scheduler {
  readonly #random: Random;
  /** A binary heap, ordered by time, tie, and serial. */
  readonly #heap: Entry[] = [];
  readonly #surroundings: Surroundings;
  #now = 0;
  #serial = 0;
  #events = 0;

  constructor(random: Random, surroundings: Surroundings) {
    this.#random = random;
    this.#surroundings = surroundings;
  }

  /** Virtual milliseconds since the start of the simulation, including fractions. */
  get now(): number {
    return this.#now;
  }

  /** Number of events that have happened. */
  get events(): number {
    return this.#events;
  }

  schedule(milliseconds: number, action: () => void, options: ScheduleOptions = {}): Scheduled {
    const at = this.#now + Math.max(milliseconds, 0);
    const entry = new Entry({ at, tie: this.#random.next(), serial: this.#serial++ }, action, options);
    this.#push(entry);
    return entry;
  }

  /** Delays the timers of a machine that slept. */
  shiftTimers(machine: Machine, milliseconds: number): void {
    for (const entry of this.#heap) if (entry.machine === machine && entry.isTimer) entry.at += milliseconds;
    for (let index = Math.floor(this.#heap.length / 2) - 1; index >= 0; index -= 1) this.#sink(index);
  }

  /** Lets time pass until `end`. Calls `onStep` after each event has settled, and stops if it returns false. */
  runUntil(end: number, onStep: () => boolean = ALWAYS): Promise<void> {
    return new Promise((resolve, reject) => {
      const round = (): void => {
        try {
          if (this.#round(end, onStep)) resolve();
          else this.#surroundings.outside(round);
        } catch (error) {
          reject(error);
        }
      };
      this.#surroundings.outside(round);
    });
  }

  /** Runs events up to the number for a round. Returns whether the run has ended. */
  #round(end: number, onStep: () => boolean): boolean {
    for (let count = 0; count < EVENTS_PER_ROUND; count += 1) {
      const next = this.#heap[0];
      if (next === undefined || next.at > end) {
        this.#now = Math.max(this.#now, end);
        return true;
      }
      this.#pop();
      if (this.#happen(next) && !onStep()) return true;
    }
    return false;
  }

  /** Runs the event. Returns false if it cannot happen, or not yet. */
  #happen(entry: Entry): boolean {
    const { machine, action } = entry;
    if (entry.isCancelled || machine?.isAlive === false) return false;
    const ready = machine?.readyAt(entry.at) ?? entry.at;
    if (ready > entry.at) {
      entry.at = ready;
      this.#push(entry);
      return false;
    }
    this.#now = Math.max(this.#now, entry.at);
    this.#events += 1;
    this.#surroundings.note(`${entry.serial} ${machine?.name ?? ""}`);
    this.#surroundings.enter(machine, action);
    this.#surroundings.settle();
    return true;
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

const ALWAYS = (): boolean => true;

function isBefore(one: Entry, other: Entry): boolean {
  if (one.at !== other.at) return one.at < other.at;
  if (one.tie !== other.tie) return one.tie < other.tie;
  return one.serial < other.serial;
}
