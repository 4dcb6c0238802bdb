import type { DecodingAnswer, DecodingTask } from "../decoding.ts";

/** Namespace and time limit of a task. */
export interface DecodingTerms {
  /** Tasks of one namespace run one after the other, so that they leave capacity for other namespaces. */
  readonly namespace: string;
  /** Milliseconds of processor time. */
  readonly milliseconds: number;
}

export type DecodingOutcome =
  | DecodingAnswer
  /** The task exceeded a limit and was ended. */
  | { readonly kind: "ended"; readonly limit: "time" | "memory" };

export interface Decoded {
  readonly outcome: DecodingOutcome;
  /** Milliseconds of processor time; for a task that was ended, at most its limit. */
  readonly ran: number;
}

/**
 * Runs tasks outside the process's main thread. The bytes of a task are transferred: the caller's copy is empty afterwards. Rejects with
 * the signal's reason if that aborts, otherwise for a bug, or if no processor is available.
 */
export interface Decoder {
  decode(task: DecodingTask, terms: DecodingTerms, signal: AbortSignal): Promise<Decoded>;
}
