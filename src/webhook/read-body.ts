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
export function readBody(request: IncomingMessage): Promise<Body> {
  // Events, not an async iterator, which costs a small review as much as everything that is decided about it.
  return new Promise((resolve) => {
    let chunks: Buffer[] = [];
    let size = 0;
    const finish = (): void => {
      const bytes = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
      resolve(size > LARGEST_BODY ? { kind: "tooLarge", start: bytes } : { kind: "complete", bytes });
    };
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= LARGEST_BODY) chunks.push(chunk);
      else chunks = chunks.slice(0, 1);
      if (size <= LARGEST_DISCARD) return;
      request.pause();
      finish();
    });
    request.once("end", finish);
    request.once("error", () => resolve({ kind: "aborted" }));
    // After an end or an error it changes nothing.
    request.once("close", () => resolve({ kind: "aborted" }));
  });
}
