import type { IncomingMessage, ServerResponse } from "node:http";
import type { Server } from "node:https";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { type Connection, createConnectionTable } from "../runtime/connection-table.ts";
import type { FairTurns } from "../runtime/fair-turns.ts";
import { createOneRequest } from "../runtime/one-request.ts";

/**
 * Of strangers. One takes 55 KiB once it has made its handshake; an API server opens as many as it asks at once, and keeps 25 of them.
 */
const MOST_CONNECTIONS = 1_000;

/** A greeting has some hundred bytes, and two thousand with the keys that resist quantum computers. */
const LARGEST_HELLO = 16 * 1024;

type RequestListener = (request: IncomingMessage, response: ServerResponse) => void;

export interface ConnectionGuard {
  /** Ends every connection: those that do nothing at once, the others with their answer. */
  readonly renew: () => void;
  readonly endAll: () => void;
  readonly close: () => void;
}

/**
 * Stands before the TLS server. A handshake costs a signature, a millisecond that everybody waits for: it begins when the client has said
 * something, and when it is its peer's turn. What a connection then does is known, so that it can be ended when it takes too long over
 * it, or does least where there is no room.
 */
export function guardConnections(server: Server, listener: RequestListener, turns: FairTurns): ConnectionGuard {
  const table = createConnectionTable(MOST_CONNECTIONS);
  /** By both ends: what the TLS server makes of a socket does not name it. */
  const greeting = new Map<string, Connection>();
  const secured = new WeakMap<Socket, Connection>();
  const admit = createOneRequest();
  /** How often all of them were renewed. */
  let age = 0;
  const ages = new WeakMap<Connection, number>();
  const [secure] = server.listeners("connection");
  server.removeAllListeners("connection");
  server.on("connection", (socket: Socket) => {
    const connection = table.open(socket);
    if (connection === undefined) return;
    const ends = endsOf(socket);
    greeting.set(ends, connection);
    socket.once("close", () => greeting.delete(ends));
    whenGreeted(socket, (begin) => {
      connection.enter("greeting");
      // Apart from its reviews: who opens connections all the time does not delay those that are open behind the same address.
      turns.run(`${connection.peer}, handshakes`, () => {
        begin();
        if (!socket.destroyed) secure?.call(server, socket);
      });
    });
  });
  server.on("secureConnection", (socket: TLSSocket) => {
    const connection = greeting.get(endsOf(socket));
    if (connection === undefined) {
      socket.destroy();
      return;
    }
    secured.set(socket, connection);
    ages.set(connection, age);
    connection.enter("unused");
    if (socket.authorized) connection.verify();
  });
  server.on("request", (request, response) => {
    const connection = secured.get(request.socket);
    if (!admit(connection, request, response)) return;
    if (connection !== undefined && ages.get(connection) !== age) response.setHeader("Connection", "close");
    listener(request, response);
  });
  const renew = (): void => {
    age += 1;
    table.endIdle();
  };
  return { renew, endAll: table.endAll, close: table.close };
}

/** Calls back with the first bytes of a client's greeting, and with what hands all of it to the TLS server. */
function whenGreeted(socket: Socket, onGreeted: (begin: () => void) => void): void {
  let hello = Buffer.alloc(0);
  const take = (chunk: Buffer): void => {
    const isFirst = hello.length === 0;
    hello = Buffer.concat([hello, chunk]);
    // A client that greets waits for an answer before it goes on.
    if (hello.length > LARGEST_HELLO) socket.destroy();
    else if (isFirst) onGreeted(begin);
  };
  const begin = (): void => {
    socket.off("data", take).pause();
    socket.unshift(hello);
  };
  socket.on("data", take);
}

function endsOf({ remoteAddress, remotePort, localAddress }: Socket): string {
  return `${remoteAddress}|${remotePort}|${localAddress}`;
}
