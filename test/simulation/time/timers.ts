/** Node's timers in virtual time. */
import { activeScheduler, currentMachine } from "./context.ts";

/** Replaces Node's own timer object. */
class SimulatedTimeout {
  #action: () => void;
  #scheduled: { cancel(): void };
  readonly #milliseconds: number;
  readonly #isRepeated: boolean;
  readonly #machine = currentMachine();
  #hasRef = true;

  constructor(action: () => void, milliseconds: number | undefined, isRepeated: boolean) {
    this.#action = action;
    const delay = milliseconds ?? 1;
    this.#milliseconds = delay >= 1 && delay <= 2 ** 31 - 1 ? delay : 1;
    this.#isRepeated = isRepeated;
    this.#scheduled = this.#schedule();
  }

  #schedule(): { cancel(): void } {
    const fire = (): void => {
      if (this.#isRepeated) this.#scheduled = this.#schedule();
      this.#action();
    };
    return activeScheduler().schedule(this.#milliseconds, fire, { machine: this.#machine, isTimer: true });
  }

  cancel(): void {
    this.#scheduled.cancel();
    this.#action = NOTHING;
  }

  ref(): this {
    this.#hasRef = true;
    return this;
  }

  unref(): this {
    this.#hasRef = false;
    return this;
  }

  hasRef(): boolean {
    return this.#hasRef;
  }

  refresh(): this {
    this.#scheduled.cancel();
    this.#scheduled = this.#schedule();
    return this;
  }

  close(): this {
    this.cancel();
    return this;
  }

  [Symbol.dispose](): void {
    this.cancel();
  }
}

const NOTHING = (): void => undefined;

type Callback = (...given: readonly unknown[]) => void;

export const simulatedTimers = {
  setTimeout: (action: Callback, milliseconds?: number, ...given: readonly unknown[]) =>
    new SimulatedTimeout(() => action(...given), milliseconds, false),
  setInterval: (action: Callback, milliseconds?: number, ...given: readonly unknown[]) =>
    new SimulatedTimeout(() => action(...given), milliseconds, true),
  setImmediate: (action: Callback, ...given: readonly unknown[]) => {
    const machine = currentMachine();
    return activeScheduler().schedule(0, () => action(...given), { machine });
  },
  clearTimeout: (timer: unknown) => clear(timer),
  clearInterval: (timer: unknown) => clear(timer),
  clearImmediate: (timer: unknown) => clear(timer),
};

function clear(timer: unknown): void {
  if (typeof timer === "object" && timer !== null && "cancel" in timer && typeof timer.cancel === "function") timer.cancel();
}

export interface WaitOptions {
  readonly signal?: AbortSignal;
}

const ONCE = { once: true } as const;

/** A wait with a signal. Most of a world's time goes into these, because each loop of each replica waits. */
class Waiter {
  readonly #settle: { readonly resolve: () => void; readonly reject: (error: Error) => void };
  readonly #signal: AbortSignal | undefined;
  readonly #timer: SimulatedTimeout;

  constructor(
    settle: { readonly resolve: () => void; readonly reject: (error: Error) => void },
    milliseconds: number | undefined,
    signal: AbortSignal | undefined,
  ) {
    this.#settle = settle;
    this.#signal = signal;
    this.#timer = new SimulatedTimeout(() => this.#over(), milliseconds, false);
    if (signal?.aborted === true) this.handleEvent();
    else signal?.addEventListener("abort", this, ONCE);
  }

  /** Handles the abort of the signal. */
  handleEvent(): void {
    this.#timer.cancel();
    const error = new Error("The operation was aborted", { cause: this.#signal?.reason });
    this.#settle.reject(Object.assign(error, { name: "AbortError", code: "ABORT_ERR" }));
  }

  #over(): void {
    this.#signal?.removeEventListener("abort", this);
    this.#settle.resolve();
  }
}

/** Replaces `setTimeout` of node:timers/promises. */
export function wait<T>(milliseconds?: number, value?: T, { signal }: WaitOptions = {}): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    // The timer or the signal keeps the waiter alive.
    void new Waiter({ resolve: () => resolve(value), reject }, milliseconds, signal);
  });
}

/** Replaces `AbortSignal.timeout`. */
export function timeoutSignal(milliseconds: number): AbortSignal {
  const controller = new AbortController();
  const over = (): void => controller.abort(new DOMException("The operation was aborted due to timeout", "TimeoutError"));
  simulatedTimers.setTimeout(over, milliseconds);
  return controller.signal;
}
