import type { Random } from "./random.ts";

/** What a machine asks of the scheduler. */
interface WorldTime {
  /** Virtual milliseconds since the start of the simulation. */
  readonly now: number;
  shiftTimers(machine: Machine, milliseconds: number): void;
}

/** Where a process runs: its clocks, its speed, and whether it runs at all. Everything that the process does is done on its machine. */
export class Machine {
  readonly name: string;
  /** For what the process itself draws: jitter, uuids, keys. */
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
  /** What each event of the process takes, milliseconds. */
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

  /** Milliseconds since the machine was started; stands while it sleeps, as CLOCK_MONOTONIC does on Linux. */
  get monotonic(): number {
    return this.#scheduler.now - this.#booted - this.#slept;
  }

  /** Milliseconds since the machine was started, with the time asleep, as CLOCK_BOOTTIME. */
  get sinceBoot(): number {
    return this.#scheduler.now - this.#booted;
  }

  /** When an event that is due can happen: not while the process is stopped, nor before the event before it has ended. */
  readyAt(due: number): number {
    const ready = Math.max(due, this.#stoppedUntil, this.#busyUntil);
    if (this.lag > 0 && ready <= due) this.#busyUntil = due + this.lag;
    return ready;
  }

  /** Until when the process stands still, by the scheduler's time. */
  get stoppedUntil(): number {
    return this.#stoppedUntil;
  }

  /** Its clock was set, went at another pace, or stood while the machine slept: what counts by it may be off for hours. */
  get hasBeenWrong(): boolean {
    return this.#hasBeenWrong;
  }

  /** The clock is set: it shows so many milliseconds more from now on. */
  stepClock(milliseconds: number): void {
    this.#skew += milliseconds;
    this.#hasBeenWrong = true;
  }

  /** The clock goes so much too fast from now on; 0.001 is a millisecond a second. */
  setDrift(drift: number): void {
    this.#skew += (this.#scheduler.now - this.#booted) * (this.#drift - drift);
    this.#drift = drift;
    this.#hasBeenWrong = true;
  }

  /** Right again, at once. */
  correctClock(): void {
    this.#skew = 0;
    this.#drift = 0;
  }

  /** The process stands still, as by SIGSTOP or a hypervisor that has no time for it; its clocks go on. */
  stop(milliseconds: number): void {
    this.#stoppedUntil = Math.max(this.#stoppedUntil, this.#scheduler.now + milliseconds);
  }

  /** The whole machine sleeps, as a laptop or a virtual machine that is suspended: the monotonic clock stands, timers with it. */
  sleep(milliseconds: number): void {
    this.stop(milliseconds);
    this.#slept += milliseconds;
    this.#hasBeenWrong = true;
    this.#scheduler.shiftTimers(this, milliseconds);
  }

  /** Nothing happens here any more. */
  kill(): void {
    this.#isAlive = false;
  }
}
