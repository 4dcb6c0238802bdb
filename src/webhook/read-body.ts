import type { IncomingMessage } from "node:http";
import type { IncomingReview } from "./incoming-review.ts";

/**
 * Maximum bytes of a review. Kubernetes accepts objects of up to 3 MiB. A review contains at most two (the object and the old one), and 1
 * MiB is ample for the rest.
 */
export const LARGEST_BODY = 7 * 1024 * 1024;

/**
 * Time limit in milliseconds, counted from the headers. The API server sends a whole review at once. If the network needs longer for that,
 * the review would not end in time anyway.
 */
const LONGEST_BODY_MS = 2_000;

/**
 * Time limit in milliseconds for the start of a body whose declared length is too large. The start arrives with the headers, or not at all.
 */
const LONGEST_START_MS = 250;

/**
 * Each piece costs memory and time, whatever it contains. This many pieces are free, and further ones must have this many bytes on average.
 */
const FREE_PIECES = 64;
const LEAST_PIECE = 256;

/** Detects a body that arrives in crumbs. No client that wants a response sends one like that. */
class Pieces {
  #count = 0;
  #bytes = 0;

  add({ length }: Buffer): void {
    this.#count += 1;
    this.#bytes += length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get areCrumbs(): boolean {
    return this.#count > FREE_PIECES && this.#bytes < this.#count * LEAST_PIECE;
  }
}

export type Body =
  | { readonly kind: "complete"; readonly bytes: Buffer }
  /** `start` is its start: enough to identify the request. */
  | { readonly kind: "tooLarge"; readonly start: Buffer }
  /** The connection broke, or was ended because the body arrived in crumbs. */
  | { readonly kind: "aborted" }
  /** It did not arrive in time. */
  | { readonly kind: "late" }
  /** There is no room for it, or no longer. */
  | { readonly kind: "displaced" };

/** Reads a request's body, within the limits for its size and time. Does not keep what arrives after that. */
export function readBody({ message, place, displaced }: Pick<IncomingReview, "message" | "place" | "displaced">): Promise<Body> {
  const isTooLong = Number(message.headers["content-length"] ?? 0) > LARGEST_BODY;
  // Uses events instead of an async iterator, which would cost a small review as much as the whole decision.
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const pieces = new Pieces();
    let isOpen = true;
    const end = (body: Body): void => {
      isOpen = false;
      clearTimeout(timer);
      message.off("data", take).off("end", complete).off("error", abort).off("close", abort);
      displaced.removeEventListener("abort", giveWay);
      // Reads and drops the bytes that still arrive, so that the sender gets its response instead of a reset connection.
      message.resume();
      resolve(body);
    };
    const tooLarge = (): void => end({ kind: "tooLarge", start: chunks[0] ?? Buffer.alloc(0) });
    const complete = (): void => end({ kind: "complete", bytes: chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks) });
    const abort = (): void => end({ kind: "aborted" });
    const giveWay = (): void => end({ kind: "displaced" });
    const take = (chunk: Buffer): void => {
      pieces.add(chunk);
      if (pieces.areCrumbs) message.destroy();
      if (chunks.length === 0 || pieces.bytes <= LARGEST_BODY) chunks.push(chunk);
      if (message.destroyed) abort();
      else if (isTooLong || pieces.bytes > LARGEST_BODY) tooLarge();
      else if (!place.hold(pieces.bytes)) giveWay();
    };
    const giveUp = (): void => (isTooLong ? tooLarge() : end({ kind: "late" }));
    // First reads the bytes that arrived while the event loop was blocked. One round later, none of them are left.
    const timer = setTimeout(
      () => setImmediate(() => setImmediate(() => isOpen && giveUp())),
      isTooLong ? LONGEST_START_MS : LONGEST_BODY_MS,
    );
    displaced.addEventListener("abort", giveWay, { once: true });
    message.on("data", take).once("end", complete).once("error", abort).once("close", abort);
    if (displaced.aborted) giveWay();
  });
}

/** Limits for the bytes that are read and dropped after the response, if a request was not read to its end. */
const LARGEST_DISCARD = 16 * 1024 * 1024;
const LONGEST_DISCARD_MS = 2_000;

/** Resolves when the rest of a body has ended, or has exceeded the limits. */
export function discardRest(message: IncomingMessage): Promise<void> {
  if (message.complete || message.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const pieces = new Pieces();
    const end = (): void => {
      clearTimeout(timer);
      message.off("data", count).off("end", end).off("close", end);
      resolve();
    };
    const count = (chunk: Buffer): void => {
      pieces.add(chunk);
      if (pieces.areCrumbs) message.destroy();
      if (pieces.bytes > LARGEST_DISCARD) end();
    };
    const timer = setTimeout(end, LONGEST_DISCARD_MS);
    message.on("data", count).once("end", end).once("close", end);
  });
}
