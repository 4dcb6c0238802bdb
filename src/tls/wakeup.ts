import type { Clock } from "../domain/ports/clock.ts";

/** A sleep that can be cut short. If `wake` is called while there is no sleep, the next sleep ends at once. */
export class Wakeup {
  readonly #clock: Clock;
  #isPending = false;
  #wakeSleeper: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  wake(): void {
    this.#isPending = true;
    this.#wakeSleeper?.();
  }

  /** Rejects with the signal's reason if the signal aborts. */
  async sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const nap = new AbortController();
    const end = (): void => nap.abort();
    signal.addEventListener("abort", end, { once: true });
    this.#wakeSleeper = end;
    try {
      if (!this.#isPending) await this.#clock.sleep(milliseconds, nap.signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!nap.signal.aborted) throw error;
    } finally {
      signal.removeEventListener("abort", end);
      this.#wakeSleeper = undefined;
      this.#isPending = false;
    }
  }
}
