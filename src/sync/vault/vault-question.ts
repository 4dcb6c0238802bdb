import type { SecretStatus } from "../../domain/sync/class-status.ts";

/** What a look at a class wants to know of its vault. */
export type Question = AllOfIt | StoredQuestion;

interface Timing {
  /** Unix milliseconds: when the look was due, however late it runs. */
  readonly due: number;
  /** How far from this poll the one before may lie whose answer still serves it (milliseconds). */
  readonly interval: number;
  /** Milliseconds from this poll to the next. */
  readonly untilNext: number;
  /** How old a read of the credentials may be (milliseconds); 0: as they are now. */
  readonly credentialsMs: number;
}

/** All objects, whatever is stored. */
export interface AllOfIt extends Timing {
  readonly kind: "everything";
  /** How old an answer that another class got may be (milliseconds); 0: none, somebody wants it as it is now. */
  readonly sharedMs: number;
}

/** `changes`: what is not as it was when the Secrets were written. `repair`: the objects of Secrets that are not intact, and no others. */
export interface StoredQuestion extends Timing {
  readonly kind: "changes" | "repair";
  /** Names of Secrets that are there as they were written. */
  readonly intact: ReadonlySet<string>;
  /** What they were written from. */
  readonly stored: readonly SecretStatus[];
  /** Unix milliseconds of the last stored time at which all of it was known to be so. */
  readonly checked: number | undefined;
}
