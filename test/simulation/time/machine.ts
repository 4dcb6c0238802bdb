import type { Random } from "./random.ts";

/** The functions of the scheduler that a machine uses. */
interface WorldTime {
  /** Virtual milliseconds since the start of the simulation. */
  readonly now: number;
  shiftTimers(machine: Machine, milliseconds: number): void;
}

/**
 * The machine that a process runs on, with its clocks and its speed. A machine can also stand still. Each action of the process runs on its
 * machine.
 */
export class Machine {
  readonly name: string;
  /** Source of the process's own random values: jitter, UUIDs, keys. */
  readonly random: Random;
  readonly #scheduler: WorldTime;
  readonly #epoch: number;
  readonly #booted: number;
  #isAlive = true;
  #skew = 0;
  #drift = 0;
  #slept = 0;
  #stoppedUntil = 0;
  #busyUntil = 0;
  #hasBeenWrong = false;
  /** Milliseconds that each event of the process takes. */
  lag = 0;

  /** `epoch`: Unix milliseconds of virtual time 0. */
  constructor(name: string, options: { readonly scheduler: WorldTime; readonly random: Random; readonly epoch: number }) {
    this.name = name;
    this.random = options.random;
    this.#scheduler = options.scheduler;
    this.#epoch = options.epoch;
    this.#booted = options.scheduler.now;
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** Unix milliseconds by the machine's clock, which may be wrong. */
  get wall(): number {
    const now = this.#scheduler.now;
    return this.#epoch + now + this.#skew + (now - this.#booted) * this.#drift;
  }

  /** Milliseconds since the start of the machine. Stands still while the machine sleeps, as CLOCK_MONOTONIC does on Linux. */
  get monotonic(): number {
    return this.#scheduler.now - this.#booted - this.#slept;
  }

  /** Milliseconds since the start of the machine, including the time asleep, as CLOCK_BOOTTIME. */
  get sinceBoot(): number {
    return this.#scheduler.now - this.#booted;
  }

  /** Returns the time at which a due event can happen: not while the process is stopped, and not before the previous event has ended. */
  readyAt(due: number): number {
    const ready = Math.max(due, this.#stoppedUntil, this.#busyUntil);
    if (this.lag > 0 && ready <= due) this.#busyUntil = due + this.lag;
    return ready;
  }

  /** Scheduler time until which the process stands still. */
  get stoppedUntil(): number {
    return this.#stoppedUntil;
  }

  /**
   * Whether the clock was ever set, ran at another pace, or stood still while the machine slept. Durations by this clock can be off for
   * hours.
   */
  get hasBeenWrong(): boolean {
    return this.#hasBeenWrong;
  }

  /** Sets the clock forward by so many milliseconds. */
  stepClock(milliseconds: number): void {
    this.#skew += milliseconds;
    this.#hasBeenWrong = true;
  }

  /** Makes the clock run too fast from now on: 0.001 is a millisecond a second. */
  setDrift(drift: number): void {
    this.#skew += (this.#scheduler.now - this.#booted) * (this.#drift - drift);
    this.#drift = drift;
    this.#hasBeenWrong = true;
  }

  /** Corrects the clock at once. */
  correctClock(): void {
    this.#skew = 0;
    this.#drift = 0;
  }

  /** Stops the process, as by SIGSTOP or by a hypervisor that gives it no CPU time. Its clocks go on. */
  stop(milliseconds: number): void {
    this.#stoppedUntil = Math.max(this.#stoppedUntil, this.#scheduler.now + milliseconds);
  }

  /** Suspends the whole machine, like a laptop or a virtual machine. The monotonic clock and the timers stand still. */
  sleep(milliseconds: number): void {
    this.stop(milliseconds);
    this.#slept += milliseconds;
    this.#hasBeenWrong = true;
    this.#scheduler.shiftTimers(this, milliseconds);
  }

  /** Prevents all further events of the machine. */
  kill(): void {
    this.#isAlive = false;
  }
}
