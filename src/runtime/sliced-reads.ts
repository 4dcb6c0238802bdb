import type { Socket } from "node:net";

type TakeBytes = (chunk: Buffer) => void;

/** The end of a request's head. Node's parser accepts no other. */
const HEAD_END = "\r\n\r\n";

/** Minimum bytes of a slice, for a client that sends thousands of heads, or nothing but the ends of heads. */
const LEAST_SLICE = 256;

/**
 * Passes the bytes of a socket to its listeners in slices, and nothing after the slice in which the socket was destroyed or paused. Node's
 * parser goes on to the end of the bytes that it has, whatever happens to the socket: it would parse thousands of requests in one go. A slice
 * ends with the head of a request, so that a review has one or two, whatever its size.
 */
export function sliceReads(socket: Socket): void {
  const takers = socket.listeners("data") as TakeBytes[]; // Listeners for `data` of a socket without an encoding.
  socket.removeAllListeners("data");
  socket.on("data", (chunk: Buffer) => {
    let at = 0;
    while (at < chunk.length && !socket.destroyed) {
      // The parser pauses a socket whose bytes or responses would otherwise pile up, and then accepts none.
      if (socket.isPaused()) {
        socket.unshift(chunk.subarray(at));
        return;
      }
      const end = endOfSlice(chunk, at);
      const slice = at === 0 && end === chunk.length ? chunk : chunk.subarray(at, end);
      for (const take of takers) take.call(socket, slice);
      at = end;
    }
  });
}

function endOfSlice(chunk: Buffer, start: number): number {
  const found = chunk.indexOf(HEAD_END, start + LEAST_SLICE - HEAD_END.length, "latin1");
  return found === -1 ? chunk.length : found + HEAD_END.length;
}
