import type { DecodingAnswer } from "../../domain/decoding.ts";

/** What a thread answers to a task. */
export type ThreadMessage =
  /** `ran`: milliseconds of a processor. */
  | { readonly kind: "answer"; readonly answer: DecodingAnswer; readonly ran: number }
  /** What was thrown, without its message, which may quote the input. */
  | { readonly kind: "bug"; readonly name: string; readonly frames: readonly string[] };

/** To be handed over with what they are the bytes of. */
export function buffersOf(values: readonly Uint8Array[]): readonly ArrayBuffer[] {
  return values.flatMap(({ buffer }) => (buffer instanceof ArrayBuffer ? [buffer] : []));
}
