import type { Socket } from "node:net";

/** Node's parser of a socket's bytes. Node's types do not contain it. */
interface Parsed {
  readonly parser?: { onIncoming?: ((...head: readonly unknown[]) => unknown) | null } | null;
}

/** Tells the parser that the rest of the bytes is not HTTP, as after an upgrade. */
const PARSE_NO_FURTHER = 2;

/**
 * Has Node parse no request after one whose connection was ended. By itself, Node's parser goes on to the end of the bytes that it has,
 * whatever happens to the socket: it would parse thousands of requests in one go. Reads in slices would do the same with documented means,
 * but take 6 % of a review's processor time. Call this when Node has begun to parse the socket's bytes.
 */
export function stopWhenEnded(socket: Socket & Parsed): void {
  const { parser } = socket;
  const onIncoming = parser?.onIncoming;
  if (parser === null || parser === undefined || typeof onIncoming !== "function") return;
  parser.onIncoming = (...head) => {
    const result = onIncoming(...head);
    return socket.destroyed ? PARSE_NO_FURTHER : result;
  };
}
