import { performDecoding } from "../../../src/domain/decoding.ts";
import type { Decoder } from "../../../src/domain/ports/decoder.ts";
import { pki } from "../../../src/pki/pki.ts";

/** Decodes on the caller's thread, for worlds with their own clock. */
export const decodingHere: Decoder = {
  decode: async (task) => ({ outcome: performDecoding(task, pki), ran: 0 }),
};
