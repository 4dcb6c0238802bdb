import { ReadyKeys, type Taken } from "./ready-keys.ts";

interface Waiting {
  readonly tenant: string;
  readonly begin: (taken: Taken) => void;
}

/** A number of slots for work that many tenants have: they take turns, and none holds so many that another has to wait for it. */
export class FairSlots {
  readonly #ready: ReadyKeys;
  readonly #waiting = new Map<string, Waiting>();
  #serial = 0;

  constructor(slots: number) {
    const of = (key: string) => ({ tenant: this.#waiting.get(key)?.tenant ?? "", backend: undefined });
    this.#ready = new ReadyKeys(slots, { of, perBackend: slots });
  }

  /** Does the work in a slot, once there is one. Rejects with the signal's reason where it aborts before. */
  async run<T>(tenant: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const taken = await this.#turn(tenant, signal);
    try {
      return await work();
    } finally {
      this.#ready.giveBack(taken);
      this.#next();
    }
  }

  async #turn(tenant: string, signal: AbortSignal): Promise<Taken> {
    signal.throwIfAborted();
    const key = String(++this.#serial);
    const { promise, resolve, reject } = Promise.withResolvers<Taken>();
    const leave = (): void => {
      this.#waiting.delete(key);
      this.#ready.delete(key);
      reject(signal.reason);
    };
    signal.addEventListener("abort", leave, { once: true });
    this.#waiting.set(key, { tenant, begin: resolve });
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
