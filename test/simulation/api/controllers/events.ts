import type { Change, Collection } from "../store/collection.ts";
import type { Store } from "../store/store.ts";

/** Lifetime of an event after its last write, in milliseconds. */
const EVENT_MS = 3_600_000;

/** Deletes events an hour after their last write. */
export class EventExpiry {
  readonly #store: Store;
  readonly #now: () => number;
  readonly #later: (milliseconds: number, action: () => void) => unknown;
  /** Times of the last writes by key, in the order of the writes. */
  readonly #written = new Map<string, number>();
  #isWaiting = false;

  constructor(store: Store, now: () => number, later: (milliseconds: number, action: () => void) => unknown) {
    this.#store = store;
    this.#now = now;
    this.#later = later;
  }

  note(collection: Collection, { before, after }: Change): void {
    if (collection.name !== "events") return;
    this.#written.delete(after?.key ?? before?.key ?? "");
    if (after === undefined) return;
    this.#written.set(after.key, this.#now());
    this.#wait();
  }

  #wait(): void {
    const [first] = this.#written.values();
    if (this.#isWaiting || first === undefined) return;
    this.#isWaiting = true;
    this.#later(Math.max(0, first + EVENT_MS - this.#now()), () => {
      this.#isWaiting = false;
      this.#expire();
      this.#wait();
    });
  }

  #expire(): void {
    const events = this.#store.collection("events");
    for (const [key, time] of this.#written) {
      if (time + EVENT_MS > this.#now()) return;
      this.#written.delete(key);
      const event = events.get(key);
      if (event !== undefined) this.#store.remove(events, event);
    }
  }
}
