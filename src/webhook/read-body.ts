import type { IncomingMessage } from "node:http";

/**
 * Kubernetes takes objects of up to 3 MiB. A review carries at most two (the object and the old one), and 1 MiB is ample
 * for the rest of it.
 */
export const LARGEST_BODY = 7 * 1024 * 1024;

/** What is read on, and thrown away, so that the sender gets its answer instead of a reset connection. */
const LARGEST_DISCARD = 64 * 1024 * 1024;

export type Body =
  | { readonly kind: "complete"; readonly bytes: Buffer }
  /** `start` is its beginning: enough to find out which request it was. */
  | { readonly kind: "tooLarge"; readonly start: Buffer }
  /** The connection broke. */
  | { readonly kind: "aborted" };

/** Reads a request's body, never holding more than the limit. The server's request timeout bounds the wait. */
export async function readBody(request: IncomingMessage): Promise<Body> {
  let chunks: Buffer[] = [];
  let size = 0;
  try {
    // Typed as any by Node: without an encoding set, a request yields buffers.
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size <= LARGEST_BODY) chunks.push(chunk);
      else chunks = chunks.slice(0, 1);
      if (size > LARGEST_DISCARD) break;
    }
  } catch {
    return { kind: "aborted" };
  }
  const bytes = Buffer.concat(chunks);
  return size > LARGEST_BODY ? { kind: "tooLarge", start: bytes } : { kind: "complete", bytes };
}
