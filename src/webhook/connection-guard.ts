import type { RequestListener, ServerResponse } from "node:http";
import type { Server } from "node:https";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { type Connection, createConnectionTable } from "../runtime/connection-table.ts";
import type { FairTurns } from "../runtime/fair-turns.ts";
import { takeRequests } from "../runtime/one-request.ts";

/**
 * Connections of strangers. One takes 55 KiB after its handshake. An API server opens one for each concurrent request, and keeps 25 of
 * them.
 */
const MOST_CONNECTIONS = 1_000;

/** Maximum bytes of a greeting. It has a few hundred bytes, and two thousand with the keys that resist quantum computers. */
const LARGEST_HELLO = 16 * 1024;

export interface ConnectionGuard {
  /** Ends every connection: those without a request at once, the others with their response. */
  readonly renew: () => void;
  readonly endAll: () => void;
  readonly close: () => void;
}

/**
 * Runs before the TLS server. A handshake costs a signature, a millisecond for which every other client waits. It therefore begins only
 * when the client has sent something, and when it is its peer's turn. The guard follows each connection's stage, so that it can end
 * connections that take too long, or that do least if there is no room.
 */
export function guardConnections(server: Server, listener: RequestListener, turns: FairTurns): ConnectionGuard {
  const table = createConnectionTable(MOST_CONNECTIONS);
  /** Key: both ends of the connection, because the TLS server's socket does not refer to the original one. */
  const greeting = new Map<string, Connection>();
  const secured = new WeakMap<Socket, Connection>();
  const unsent = new Set<ServerResponse>();
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
      // Apart from the peer's reviews: a client that keeps opening connections does not delay open connections behind the same address.
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
    connection.enter("unused");
    if (socket.authorized) connection.verify();
  });
  takeRequests(server, secured, (request, response) => {
    unsent.add(response);
    response.once("close", () => unsent.delete(response));
    listener(request, response);
  });
  const renew = (): void => {
    // So that the client sends no further request while its connection ends.
    for (const response of unsent) if (!response.headersSent) response.setHeader("Connection", "close");
    table.endWhenIdle();
  };
  return { renew, endAll: table.endAll, close: table.close };
}

/** Calls back at the first bytes of a client's greeting, with a function that hands the whole greeting to the TLS server. */
function whenGreeted(socket: Socket, onGreeted: (begin: () => void) => void): void {
  let hello = Buffer.alloc(0);
  const take = (chunk: Buffer): void => {
    const isFirst = hello.length === 0;
    hello = Buffer.concat([hello, chunk]);
    // After a greeting, a client waits for a response before it continues.
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
