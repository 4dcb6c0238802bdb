/** One new version, and the time at which each queue got its event. Contains no value. */
export interface EventRecord {
  /** Number from 1, for `events({ after })`. */
  readonly sequence: number;
  readonly vault: string;
  /** Name of the object. */
  readonly name: string;
  readonly version: string;
  /** Time in Unix milliseconds at which the vault got the version. */
  readonly madeAt: number;
  /** Queues that have confirmed the message, in the order of the confirmations. */
  readonly delivered: readonly Delivered[];
}

export interface Delivered {
  /** Storage account of the queue. */
  readonly account: string;
  readonly queue: string;
  /** Unix milliseconds. */
  readonly at: number;
}

/** The log drops the oldest records first. */
const CAPACITY = 50_000;

/** New versions in all vaults, whether or not a queue gets events of them. */
export class EventLog {
  readonly #records: EventRecord[] = [];
  #sequence = 0;

  /** Returns a function that the caller calls for each delivery. */
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
