import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { IncomingMessage, Server, ServerResponse } from "node:http";

/** Node publishes each request here as soon as it has parsed its head, also those that Node answers itself. */
const STARTED = "http.server.request.start";

interface Started {
  readonly server: Server;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

export interface ParsedRequests {
  /** Number of requests that Node parsed on this port. */
  readonly parsed: () => number;
  /** Largest number of requests that Node kept at a time with their responses. */
  readonly mostKept: () => number;
  /** Largest number of bytes of bodies that Node kept. */
  readonly mostHeld: () => number;
  readonly stop: () => void;
}

/** Counts the requests that Node parses on a port of this process. */
export function countRequests(port: number): ParsedRequests {
  let [parsed, kept, mostKept, mostHeld] = [0, 0, 0, 0];
  const note = (message: unknown): void => {
    const { server, request, response } = message as Started; // Node's documented message of this channel.
    const address = server.address();
    // A socket that has been destroyed has no port.
    if (address === null || typeof address === "string" || address.port !== port) return;
    parsed += 1;
    kept += 1;
    mostKept = Math.max(mostKept, kept);
    response.once("close", () => {
      kept -= 1;
    });
    const push = request.push.bind(request);
    request.push = (piece, encoding) => {
      const isTaken = push(piece, encoding);
      mostHeld = Math.max(mostHeld, request.readableLength);
      return isTaken;
    };
  };
  subscribe(STARTED, note);
  return { parsed: () => parsed, mostKept: () => mostKept, mostHeld: () => mostHeld, stop: () => void unsubscribe(STARTED, note) };
}
