import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";

type TakeBytes = (chunk: Buffer) => void;

/** The end of a request's head. Node's parser accepts no other. */
const HEAD_END = "\r\n\r\n";

/** Minimum bytes of a slice, for a client that sends thousands of heads, or nothing but the ends of heads. */
const LEAST_SLICE = 256;

/** Maximum bytes of a slice, for a client that sends a body in crumbs. */
const LARGEST_SLICE = 4_096;

export interface SlicedReads {
  /** Call this when the parser has read the head of a request. The bytes of a body of known length then need no slices. */
  expectBody(request: IncomingMessage): void;
}

/**
 * Passes the bytes of a socket to its listeners in slices, and nothing after the slice in which the socket was destroyed or paused. Node's
 * parser goes on to the end of the bytes that it has, whatever happens to the socket: it would parse thousands of requests, or pieces of a
 * body, in one go. A slice ends with the head of a request, so that a review has two or three, whatever its size.
 */
export function sliceReads(socket: Socket): SlicedReads {
  const takers = socket.listeners("data") as TakeBytes[]; // Listeners for `data` of a socket without an encoding.
  let slice: Buffer = Buffer.alloc(0);
  /** Number of bytes after this slice that certainly belong to the body of a request. */
  let known = 0;
  socket.removeAllListeners("data");
  socket.on("data", (chunk: Buffer) => {
    for (let at = 0; at < chunk.length && !socket.destroyed; at += slice.length) {
      // The parser pauses a socket whose bytes or responses would otherwise pile up, and then accepts none.
      if (socket.isPaused()) {
        socket.unshift(chunk.subarray(at));
        return;
      }
      slice = chunk.subarray(at, known > 0 ? at + known : endOfSlice(chunk, at));
      known = Math.max(0, known - slice.length);
      for (const take of takers) take.call(socket, slice);
    }
  });
  return {
    expectBody: ({ headers }) => {
      // The rest of this slice may belong to the body too.
      known = Math.max(0, Number(headers["content-length"] ?? 0) - slice.length);
    },
  };
}

function endOfSlice(chunk: Buffer, start: number): number {
  const found = chunk.subarray(start, start + LARGEST_SLICE).indexOf(HEAD_END, LEAST_SLICE - HEAD_END.length, "latin1");
  return start + (found === -1 ? LARGEST_SLICE : found + HEAD_END.length);
}
