import type { IncomingMessage, ServerResponse } from "node:http";
import type { Connection, Stage } from "./connection-table.ts";

/** Returns whether the server may answer the request. If false, its socket has been destroyed. */
export type AdmitRequest = (connection: Connection | undefined, request: IncomingMessage, response: ServerResponse) => boolean;

/**
 * Admits one request at a time of each connection. Node reads as many requests ahead as a client pipelines: a server that does not answer
 * immediately would keep all of them, and one connection could fill its memory. Kubelets, API servers and Prometheus wait for a response
 * before they send the next request, so a client that does not wait loses its connection. Records the stages of admitted requests.
 */
export function createOneRequest(): AdmitRequest {
  /** The response to the latest request of a connection. */
  const latest = new WeakMap<Connection, ServerResponse>();
  return (connection, request, response) => {
    if (connection === undefined || latest.get(connection)?.writableEnded === false) {
      request.socket.destroy();
      return false;
    }
    latest.set(connection, response);
    connection.enter("receiving");
    // The response may be complete before the body has arrived, and the next request may arrive before the event for the response's end.
    const enter = (stage: Stage): void => {
      if (latest.get(connection) === response) connection.enter(stage);
    };
    request.once("end", () => enter(response.closed ? "idle" : "answering"));
    response.once("close", () => enter(request.complete ? "idle" : "receiving"));
    return true;
  };
}
