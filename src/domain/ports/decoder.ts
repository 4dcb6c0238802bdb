import type { DecodingAnswer, DecodingTask } from "../decoding.ts";

/** For whom, and for how long at most. */
export interface DecodingTerms {
  /** Tasks of one namespace run one after the other, so that they leave room for those of others. */
  readonly namespace: string;
  /** Milliseconds of a processor. */
  readonly milliseconds: number;
}

export type DecodingOutcome =
  | DecodingAnswer
  /** It took more than it may, and was ended. */
  | { readonly kind: "ended"; readonly limit: "time" | "memory" };

export interface Decoded {
  readonly outcome: DecodingOutcome;
  /** Milliseconds of a processor; of one that was ended, no more than it was given. */
  readonly ran: number;
}

/**
 * Does the work beside the process's own thread. Bytes of a task are handed over: the caller's copy is empty afterwards. Rejects with the
 * signal's reason when that aborts, else for a bug, or where there is no processor for it.
 */
export interface Decoder {
  decode(task: DecodingTask, terms: DecodingTerms, signal: AbortSignal): Promise<Decoded>;
}
