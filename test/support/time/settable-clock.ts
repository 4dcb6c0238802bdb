import { ManualClock } from "./manual-clock.ts";

/** A machine's clock that somebody sets; monotonic time and sleeps go on. */
export class SettableClock extends ManualClock {
  #setBy = 0;

  override now(): number {
    return super.now() + this.#setBy;
  }

  monotonic(): number {
    return super.now();
  }

  /** Ahead, or back. */
  set(milliseconds: number): void {
    this.#setBy += milliseconds;
  }
}
