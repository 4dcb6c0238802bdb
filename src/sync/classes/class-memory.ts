import { NO_REPAIRS, type Repairs } from "../../domain/schedule/repair-pace.ts";
import type { Told } from "../../domain/sync/class-status.ts";

/** What this process knows of a class beyond what is stored. Losing it costs nothing but an early look. */
export interface ClassMemory {
  /** Unix milliseconds of this process's first look at the class. */
  readonly knownSince: number;
  /** Of the class: one that was deleted and created anew is another object. */
  uid: string | undefined;
  /** Unix milliseconds of the next poll. */
  nextPoll: number;
  /** Unix milliseconds at which the last poll of this process was due; undefined before the first. */
  lastPoll: number | undefined;
  /** Milliseconds between two polls, as `nextPoll` was derived from. */
  interval: number;
  /** Unix milliseconds when an object of the class was seen to have changed; undefined where nothing is known of any change. */
  changeSeen: number | undefined;
  /** Consecutive failed attempts. */
  failures: number;
  /** Unix milliseconds; meaningful while `failures` is above 0. */
  retryAt: number;
  /** Value of the refresh annotation that was answered: any other is a request that is open. */
  lastRefresh: string | undefined;
  /** Its value at the last attempt, whatever came of it. */
  triedRefresh: string | undefined;
  /** Unix milliseconds of the last check that succeeded. */
  lastSuccess: number | undefined;
  /** Unix milliseconds: earlier processes have checked the class with success then or later; undefined where nobody knows. */
  checkedBefore: number | undefined;
  /** Repairs of edited or deleted Secrets. */
  repairs: Repairs;
  /** Names of Secrets that failed at the last attempt. */
  failing: ReadonlySet<string>;
  /** Reason and message of the last event, so that a lasting state is told once. */
  lastTold: Told | undefined;
  /** That the class is stale was told. */
  isStaleTold: boolean;
  /** Unix milliseconds since when no pod has mounted the class, as far as this process has seen without a gap. */
  unusedSince: number | undefined;
  /** Nothing is mirrored because nobody uses the class. */
  isIdle: boolean;
  /** Who damaged which Secret in the repairs that are counted in a row. */
  contenders: ReadonlyMap<string, string>;
  /** What was told of objects' dates, by object and version. */
  datesTold: ReadonlyMap<string, string>;
  /** Unix milliseconds up to which an earlier process told of dates; undefined: none did. */
  datesToldUntil: number | undefined;
}

/** A class at first sight, with what is known of it. */
export function newMemory(known: Partial<ClassMemory> = {}): ClassMemory {
  return {
    knownSince: 0,
    uid: undefined,
    nextPoll: 0,
    lastPoll: undefined,
    interval: 0,
    changeSeen: undefined,
    failures: 0,
    retryAt: 0,
    lastRefresh: undefined,
    triedRefresh: undefined,
    lastSuccess: undefined,
    checkedBefore: undefined,
    repairs: NO_REPAIRS,
    failing: new Set(),
    lastTold: undefined,
    isStaleTold: false,
    unusedSince: undefined,
    isIdle: false,
    contenders: new Map(),
    datesTold: new Map(),
    datesToldUntil: undefined,
    ...known,
  };
}

export class ClassMemories {
  readonly #byKey = new Map<string, ClassMemory>();
  /** Messages by topic, by class. */
  readonly #warnings = new Map<string, Map<string, string>>();

  get(key: string): ClassMemory | undefined {
    return this.#byKey.get(key);
  }

  /** With the key of each class. */
  list(): readonly (readonly [key: string, memory: ClassMemory])[] {
    return [...this.#byKey];
  }

  remember(key: string, memory: ClassMemory): ClassMemory {
    this.#byKey.set(key, memory);
    return memory;
  }

  /** The reason of its failure may be gone. */
  retryNow(key: string, now: number): void {
    const memory = this.#byKey.get(key);
    if (memory !== undefined) memory.retryAt = now;
  }

  /** Another class saw that an object of this one changed: its poll is due. False where the class is not known. */
  noteChange(key: string, now: number): boolean {
    const memory = this.#byKey.get(key);
    if (memory !== undefined) memory.changeSeen = now;
    return memory !== undefined;
  }

  /** A pod mounts it: what was seen of its absence counts no more. */
  noteUse(key: string): void {
    const memory = this.#byKey.get(key);
    if (memory !== undefined) memory.unusedSince = undefined;
  }

  /** Met again, it is as at first sight; what was warned of is not warned of again. */
  reset(key: string): void {
    this.#byKey.delete(key);
  }

  forget(key: string): void {
    this.#byKey.delete(key);
    this.#warnings.delete(key);
  }

  /** Remembers what was warned of in a matter; an empty message says that nothing is wrong with it any more. */
  isNewWarning(key: string, topic: string, message: string): boolean {
    const ofClass = this.#warnings.get(key) ?? new Map<string, string>();
    const isNew = message !== "" && ofClass.get(topic) !== message;
    if (message === "") ofClass.delete(topic);
    else ofClass.set(topic, message);
    if (ofClass.size > 0) this.#warnings.set(key, ofClass);
    else this.#warnings.delete(key);
    return isNew;
  }
}
