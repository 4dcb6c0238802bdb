import { ManualClock } from "./manual-clock.ts";

/** A machine's clock that a user sets. Monotonic time and sleeps continue unchanged. */
export class SettableClock extends ManualClock {
  #setBy = 0;

  override now(): number {
    return super.now() + this.#setBy;
  }

  monotonic(): number {
    return super.now();
  }

  /** Sets the clock forward, or back if negative. */
  set(milliseconds: number): void {
    this.#setBy += milliseconds;
  }
}
