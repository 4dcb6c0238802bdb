/** One new version, and when each queue had its event. Holds no value. */
export interface EventRecord {
  /** Counts from 1; `events({ after })` takes it. */
  readonly sequence: number;
  readonly vault: string;
  /** Of the object. */
  readonly name: string;
  readonly version: string;
  /** Unix milliseconds: the vault had the version. */
  readonly madeAt: number;
  /** Those whose queue has said that it holds the message, in that order. */
  readonly delivered: readonly Delivered[];
}

export interface Delivered {
  /** Storage account, and queue in it. */
  readonly account: string;
  readonly queue: string;
  /** Unix milliseconds. */
  readonly at: number;
}

/** The oldest records go first. */
const CAPACITY = 50_000;

/** What happened in the vaults, whether or not a queue is told of it. */
export class EventLog {
  readonly #records: EventRecord[] = [];
  #sequence = 0;

  /** Returns who is to be told of each delivery. */
  add(facts: Pick<EventRecord, "vault" | "name" | "version">): (to: Pick<Delivered, "account" | "queue">) => void {
    this.#sequence += 1;
    const delivered: Delivered[] = [];
    this.#records.push({ sequence: this.#sequence, ...facts, madeAt: Date.now(), delivered });
    if (this.#records.length > CAPACITY) this.#records.shift();
    return ({ account, queue }) => void delivered.push({ account, queue, at: Date.now() });
  }

  /** Records newer than the sequence number `after`. */
  list(after = 0): readonly EventRecord[] {
    return this.#records.filter(({ sequence }) => sequence > after);
  }
}
