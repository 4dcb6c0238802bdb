import type { IncomingMessage, ServerResponse } from "node:http";
import type { Connection, Stage } from "./connection-table.ts";

/** Whether the request may be answered. Where not, its socket has been destroyed. */
export type AdmitRequest = (connection: Connection | undefined, request: IncomingMessage, response: ServerResponse) => boolean;

/**
 * One request at a time of each connection. Node reads as many requests ahead as a client pipelines: a server that answers later than at
 * once would keep all of them, and one connection could fill its memory. Kubelets, API servers and Prometheus wait for an answer before
 * they send the next request, so a client that does not wait loses its connection. Follows the stages of those that are admitted.
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
    // The answer may be out before the body is in, and the next request may come before the event of the answer's end.
    const enter = (stage: Stage): void => {
      if (latest.get(connection) === response) connection.enter(stage);
    };
    request.once("end", () => enter(response.closed ? "idle" : "answering"));
    response.once("close", () => enter(request.complete ? "idle" : "receiving"));
    return true;
  };
}
