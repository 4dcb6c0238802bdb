import { ReadyKeys, type Taken } from "./ready-keys.ts";

interface Waiting {
  readonly tenant: string;
  readonly size: number;
  readonly begin: (taken: Taken) => void;
}

/** Slots that a caller holds. */
export interface HeldSlots {
  /**
   * Returns whether the caller holds `size` slots from now on. If false, it keeps the slots that it had, and must release them before it
   * waits for more. After the release it gets none.
   */
  grow(size: number): boolean;
  /** Call this once, whatever happens. */
  release(): void;
}

/** A number of slots for the work of many tenants. Tenants take turns, and none holds so many slots that another has to wait for it. */
export class FairSlots {
  readonly #ready: ReadyKeys;
  readonly #waiting = new Map<string, Waiting>();
  #serial = 0;

  constructor(slots: number) {
    const of = (key: string) => {
      const { tenant = "", size = 1 } = this.#waiting.get(key) ?? {};
      return { tenant, backend: undefined, size };
    };
    this.#ready = new ReadyKeys(slots, { of, perBackend: slots });
  }

  /** Does the work in a slot, as soon as one is free. Rejects with the signal's reason if the signal aborts before. */
  async run<T>(tenant: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const held = await this.take({ tenant, size: 1 }, signal);
    try {
      return await work();
    } finally {
      held.release();
    }
  }

  /** Takes `size` slots at once: at most half of all, the maximum of a tenant. Rejects as `run` does. */
  async take(wanted: { readonly tenant: string; readonly size: number }, signal: AbortSignal): Promise<HeldSlots> {
    let taken = await this.#turn(wanted, signal);
    let isReleased = false;
    return {
      grow: (size) => {
        if (isReleased) return false;
        const grown = this.#ready.grow(taken, size);
        taken = grown ?? taken;
        return grown !== undefined;
      },
      release: () => {
        isReleased = true;
        this.#ready.giveBack(taken);
        this.#next();
      },
    };
  }

  async #turn({ tenant, size }: { readonly tenant: string; readonly size: number }, signal: AbortSignal): Promise<Taken> {
    signal.throwIfAborted();
    const key = String(++this.#serial);
    const { promise, resolve, reject } = Promise.withResolvers<Taken>();
    const leave = (): void => {
      this.#waiting.delete(key);
      this.#ready.delete(key);
      reject(signal.reason);
      this.#next();
    };
    signal.addEventListener("abort", leave, { once: true });
    this.#waiting.set(key, { tenant, size, begin: resolve });
    this.#ready.add(key, 0);
    this.#next();
    try {
      return await promise;
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }

  #next(): void {
    for (let taken = this.#ready.take(); taken !== undefined; taken = this.#ready.take()) {
      const begin = this.#waiting.get(taken.key)?.begin;
      this.#waiting.delete(taken.key);
      begin?.(taken);
    }
  }
}
