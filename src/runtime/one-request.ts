import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { Server as TlsServer } from "node:tls";
import type { Connection, Stage } from "./connection-table.ts";

/** Options of a server for {@link takeRequests}. Without them, Node itself answers requests that name no host. */
export const EVERY_REQUEST = { requireHostHeader: false } as const;

/**
 * Hands each request that the server may answer to `take`, and ends the connections of the others. The server needs the options
 * {@link EVERY_REQUEST}, so that Node answers no request itself: what a client repeats would then cost the event loop as much as the client
 * wants.
 */
export function takeRequests(server: Server, connections: Pick<WeakMap<Socket, Connection>, "get">, take: RequestListener): void {
  const admit = createOneRequest();
  const takeAdmitted = ([request, response]: Parameters<RequestListener>, isContinued: boolean): void => {
    const connection = connections.get(request.socket);
    if (connection === undefined || !admit(connection, request, response)) {
      request.socket.destroy();
      return;
    }
    if (isContinued) response.writeContinue();
    take(request, response);
  };
  server.on(server instanceof TlsServer ? "secureConnection" : "connection", stopWhenEnded);
  server.on("request", (...request) => takeAdmitted(request, false));
  server.on("checkContinue", (...request: Parameters<RequestListener>) => takeAdmitted(request, true));
  // Neither API servers nor kubelets expect anything else.
  server.on("checkExpectation", (request: IncomingMessage) => void request.socket.destroy());
}

/** Returns whether the server may answer the request. */
type AdmitRequest = (connection: Connection, request: IncomingMessage, response: ServerResponse) => boolean;

/**
 * Admits one request at a time of each connection. Node reads as many requests ahead as a client pipelines, and keeps each with its response
 * until the responses before it are sent: one connection could fill its memory. Kubelets, API servers and Prometheus wait for a response
 * before they send the next request, so a client that does not wait loses its connection. Records the stages of admitted requests.
 */
function createOneRequest(): AdmitRequest {
  /** The responses of a connection that were not sent when its latest request arrived, and the response to that request. */
  const kept = new WeakMap<Connection, readonly ServerResponse[]>();
  return (connection, request, response) => {
    const unsent = (kept.get(connection) ?? []).filter(({ writableFinished }) => !writableFinished);
    if (!isOneAnswered(unsent)) return false;
    kept.set(connection, [...unsent, response]);
    connection.enter("receiving");
    // The response may be complete before the body has arrived, and the next request may arrive before the event for the response's end.
    const enter = (stage: Stage): void => {
      if (kept.get(connection)?.at(-1) === response) connection.enter(stage);
    };
    request.once("end", () => enter(response.closed ? "idle" : "answering"));
    response.once("close", () => enter(request.complete ? "idle" : "receiving"));
    return true;
  };
}

/**
 * A client may have read a whole response before Node notices that it was sent, so that one unsent response proves nothing. Node sends a
 * response only when it has noticed the end of the one before: no client that waits has two.
 */
function isOneAnswered(unsent: readonly ServerResponse[]): boolean {
  return unsent.length < 2 && unsent.every(({ writableEnded }) => writableEnded);
}

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
function stopWhenEnded(socket: Socket & Parsed): void {
  const { parser } = socket;
  const onIncoming = parser?.onIncoming;
  if (parser === null || parser === undefined || typeof onIncoming !== "function") return;
  parser.onIncoming = (...head) => {
    const result = onIncoming(...head);
    return socket.destroyed ? PARSE_NO_FURTHER : result;
  };
}
