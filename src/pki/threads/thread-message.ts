import type { DecodingAnswer } from "../../domain/decoding.ts";

export type ThreadMessage =
  /** `ran` is in milliseconds of a processor. */
  | { readonly kind: "answer"; readonly answer: DecodingAnswer; readonly ran: number }
  /** The thrown error without its message, which may quote the input. */
  | { readonly kind: "bug"; readonly name: string; readonly frames: readonly string[] };

/** Returns the buffers behind the values, to be handed over with them. */
export function buffersOf(values: readonly Uint8Array[]): readonly ArrayBuffer[] {
  return values.flatMap(({ buffer }) => (buffer instanceof ArrayBuffer ? [buffer] : []));
}
