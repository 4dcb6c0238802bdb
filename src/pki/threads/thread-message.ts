import type { DecodingAnswer } from "../../domain/content/decoding.ts";

/** What a thread answers to a task. */
export type ThreadMessage =
  /** `ran`: milliseconds of a processor. */
  | { readonly kind: "answer"; readonly answer: DecodingAnswer; readonly ran: number }
  /** What was thrown, without its message, which may quote the input. */
  | { readonly kind: "bug"; readonly name: string; readonly frames: readonly string[] };
