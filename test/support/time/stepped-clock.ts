import type { Clock } from "../../../src/domain/ports/clock.ts";

/** Real time that a test can move forward. Sleepers wake at their times by this clock. */
export class SteppedClock implements Clock {
  #offset = 0;
  readonly #sleepers = new Set<() => void>();

  now(): number {
    return Date.now() + this.#offset;
  }

  /** Moves forward as after a pause of the machine: timers that became due in the meantime fire now. */
  step(milliseconds: number): void {
    this.#offset += milliseconds;
    for (const check of this.#sleepers) check();
  }

  sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const until = this.now() + milliseconds;
      const end = (settle: () => void): void => {
        clearTimeout(timer);
        this.#sleepers.delete(check);
        signal.removeEventListener("abort", abort);
        settle();
      };
      const timer = setTimeout(() => end(resolve), milliseconds);
      const check = (): void => {
        if (this.now() >= until) end(resolve);
      };
      const abort = (): void => end(() => reject(signal.reason));
      this.#sleepers.add(check);
      signal.addEventListener("abort", abort, { once: true });
    });
  }
}
