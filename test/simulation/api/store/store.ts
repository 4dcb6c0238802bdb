import { type Change, Collection } from "./collection.ts";
import { type Stored, stored, type Unstored } from "./stored.ts";

/** All objects as they were at one moment. */
export interface Backup {
  readonly version: number;
  readonly collections: ReadonlyMap<string, readonly Stored[]>;
}

/** Time in milliseconds for which changes are remembered: every five minutes, etcd is compacted to its state of five minutes before. */
const REMEMBERED_MS = 5 * 60_000;

/** The etcd of the API server: every write gets the next version, and old states are readable while they are remembered. */
export class Store {
  readonly #now: () => number;
  readonly #listeners: ((collection: Collection, change: Change) => void)[] = [];
  #collections = new Map<string, Collection>();
  #version = 1;
  #compacted = 0;
  /** Versions with the time at which they were the newest. They determine which changes are old enough to forget. */
  #marks: { readonly version: number; readonly time: number }[] = [];

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Version of the last write. */
  get version(): number {
    return this.#version;
  }

  /** Version before which states are not available. */
  get compacted(): number {
    return this.#compacted;
  }

  collection(name: string): Collection {
    const known = this.#collections.get(name);
    if (known !== undefined) return known;
    const made = new Collection(name);
    this.#collections.set(name, made);
    return made;
  }

  collections(): Iterable<Collection> {
    return this.#collections.values();
  }

  /** Calls the listener with every change of any collection, after the listeners of the collection itself. */
  onChange(listener: (collection: Collection, change: Change) => void): void {
    this.#listeners.push(listener);
  }

  put(collection: Collection, before: Stored | undefined, next: Unstored): Stored {
    const after = stored(next, ++this.#version);
    this.#applied(collection, { version: this.#version, time: this.#now(), before, after });
    return after;
  }

  /** Removes an object. Returns the version of the deletion. */
  remove(collection: Collection, before: Stored): number {
    this.#version++;
    this.#applied(collection, { version: this.#version, time: this.#now(), before, after: undefined });
    return this.#version;
  }

  /** Forgets all states except the present one. */
  compact(): void {
    this.#compactTo(this.#version);
  }

  backup(): Backup {
    const collections = new Map([...this.#collections].map(([name, collection]) => [name, [...collection.values()]] as const));
    return { version: this.#version, collections };
  }

  /** Replaces all collections. Listeners of the old ones get no more calls. */
  restore(backup: Backup): void {
    this.#collections = new Map([...backup.collections].map(([name, objects]) => [name, new Collection(name, objects)] as const));
    this.#version = backup.version;
    this.#compacted = backup.version;
    this.#marks = [];
  }

  #applied(collection: Collection, change: Change): void {
    this.#forgetOld(change);
    collection.apply(change);
    for (const listener of this.#listeners) listener(collection, change);
  }

  #forgetOld({ version, time }: Change): void {
    const last = this.#marks.at(-1);
    if (last === undefined || time - last.time >= REMEMBERED_MS) this.#marks.push({ version: version - 1, time });
    const [first, second] = this.#marks;
    if (first === undefined || second === undefined || time - second.time < REMEMBERED_MS) return;
    this.#marks.shift();
    this.#compactTo(second.version);
  }

  #compactTo(version: number): void {
    this.#compacted = Math.max(this.#compacted, version);
    for (const collection of this.#collections.values()) collection.forget(version);
  }
}
