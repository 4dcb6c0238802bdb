import { createServer, type IncomingMessage, type Server } from "node:http";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";

import { type Endpoint, endpointOf } from "./clouds.ts";
import { hostNameOf } from "./exchange.ts";
import { LOOPBACK } from "./loopback-server.ts";
import type { RequestLog } from "./request-log.ts";

export interface ConnectProxyOptions {
  readonly targetPort: number;
  /** Whether the endpoint exists. A vault that was never created has no DNS name. */
  readonly exists: (endpoint: Endpoint) => boolean;
  readonly log: RequestLog;
}

export interface ConnectProxy {
  readonly server: Server;
  /** Closes every open tunnel. */
  closeTunnels(): void;
}

type Refusal = { readonly status: number; readonly line: string };

/** For all other names and ports and for plain HTTP, because the emulator never connects to a real network. */
const FORBIDDEN: Refusal = { status: 403, line: "403 Forbidden" };
/** Answer of a corporate proxy for a name that does not resolve, such as the name of a vault that does not exist. */
const UNRESOLVED: Refusal = { status: 502, line: "502 Bad Gateway" };

/** Maps port 443 of the emulated names to the HTTPS listener, and rejects everything else. */
export function createConnectProxy({ targetPort, exists, log }: ConnectProxyOptions): ConnectProxy {
  const sockets = new Set<Duplex>();
  const server = createServer((request, response) => {
    log.add({ host: hostNameOf(request.headers.host ?? ""), method: request.method ?? "GET", path: "", status: FORBIDDEN.status });
    response.writeHead(FORBIDDEN.status, { "Content-Type": "text/plain", Connection: "close" });
    response.end("This proxy only tunnels (CONNECT) to the emulated Azure names on port 443.\n");
  });
  server.on("connect", (request: IncomingMessage, client: Duplex, head: Buffer) => {
    const authority = request.url ?? "";
    const refusal = refusalOf(authority, exists);
    client.on("error", () => client.destroy());
    if (refusal !== undefined) {
      log.add({ host: hostNameOf(authority), method: "CONNECT", path: "", status: refusal.status });
      client.end(`HTTP/1.1 ${refusal.line}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
      return;
    }
    const upstream = connect(targetPort, LOOPBACK);
    for (const socket of [client, upstream]) track(sockets, socket);
    join(client, upstream, head);
  });
  return {
    server,
    closeTunnels: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}

function refusalOf(authority: string, exists: (endpoint: Endpoint) => boolean): Refusal | undefined {
  const endpoint = authority.endsWith(":443") ? endpointOf(hostNameOf(authority)) : undefined;
  if (endpoint === undefined) return FORBIDDEN;
  return exists(endpoint) ? undefined : UNRESOLVED;
}

function track(sockets: Set<Duplex>, socket: Duplex): void {
  sockets.add(socket);
  socket.once("close", () => sockets.delete(socket));
}

function join(client: Duplex, upstream: Socket, head: Buffer): void {
  upstream.once("connect", () => {
    client.write("HTTP/1.1 200 Connection established\r\n\r\n");
    if (head.byteLength > 0) upstream.write(head);
    client.pipe(upstream);
    upstream.pipe(client);
  });
  upstream.on("error", () => client.destroy());
  upstream.once("close", () => client.destroy());
  client.once("close", () => upstream.destroy());
}
