import { ReadyKeys, type Taken } from "./ready-keys.ts";

interface Waiting {
  readonly tenant: string;
  readonly size: number;
  readonly begin: (taken: Taken) => void;
}

/** Slots that somebody has. */
export interface HeldSlots {
  /**
   * Whether it has `size` of them from now on. Where not, it has what it had, and is to give that back before it waits for more. Released, it
   * gets none.
   */
  grow(size: number): boolean;
  /** To be called once, whatever happens. */
  release(): void;
}

/** A number of slots for work that many tenants have: they take turns, and none holds so many that another has to wait for it. */
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

  /** Does the work in a slot, once there is one. Rejects with the signal's reason where it aborts before. */
  async run<T>(tenant: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const held = await this.take({ tenant, size: 1 }, signal);
    try {
      return await work();
    } finally {
      held.release();
    }
  }

  /** So many slots at once: at most half of all, which is what a tenant can have. Rejects as `run`. */
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
