import type { IncomingMessage } from "node:http";
import type { IncomingReview } from "./incoming-review.ts";

/**
 * Kubernetes takes objects of up to 3 MiB. A review carries at most two (the object and the old one), and 1 MiB is ample
 * for the rest of it.
 */
export const LARGEST_BODY = 7 * 1024 * 1024;

/** From the headers on. The API server sends all of a review at once; over a network that is slower than that it would not get far. */
const LONGEST_BODY_MS = 2_000;

/** For the beginning of a body that is too large by what it claims, which comes with its headers where it comes at all. */
const LONGEST_START_MS = 250;

/** A piece costs memory and time whatever it holds: so many are free, and then each has to have so many bytes on the average. */
const FREE_PIECES = 64;
const LEAST_PIECE = 256;

/** Whether a body comes in crumbs, as no client sends one who wants an answer. */
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
  /** `start` is its beginning: enough to find out which request it was. */
  | { readonly kind: "tooLarge"; readonly start: Buffer }
  /** The connection broke, or was ended because the body came in crumbs. */
  | { readonly kind: "aborted" }
  /** It did not come in time. */
  | { readonly kind: "late" }
  /** There is no room for it, or no more. */
  | { readonly kind: "displaced" };

/** Reads a request's body, never holding more than the limit, nor longer than its time. What comes after that is not kept. */
export function readBody({ message, place, displaced }: Pick<IncomingReview, "message" | "place" | "displaced">): Promise<Body> {
  const isTooLong = Number(message.headers["content-length"] ?? 0) > LARGEST_BODY;
  // Events, not an async iterator, which costs a small review as much as everything that is decided about it.
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const pieces = new Pieces();
    let isOpen = true;
    const end = (body: Body): void => {
      isOpen = false;
      clearTimeout(timer);
      message.off("data", take).off("end", complete).off("error", abort).off("close", abort);
      displaced.removeEventListener("abort", giveWay);
      // Bytes that still come are read and dropped, so that the sender gets its answer instead of a reset connection.
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
    // What has arrived while the event loop was held up is read first: a round later nothing more is there.
    const timer = setTimeout(
      () => setImmediate(() => setImmediate(() => isOpen && giveUp())),
      isTooLong ? LONGEST_START_MS : LONGEST_BODY_MS,
    );
    displaced.addEventListener("abort", giveWay, { once: true });
    message.on("data", take).once("end", complete).once("error", abort).once("close", abort);
    if (displaced.aborted) giveWay();
  });
}

/** What is read on, and thrown away, after an answer to a request that is not read to its end. */
const LARGEST_DISCARD = 16 * 1024 * 1024;
const LONGEST_DISCARD_MS = 2_000;

/** Resolves when the rest of a body is over, or has gone on for too long. */
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
