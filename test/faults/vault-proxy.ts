import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import { issueServingCertificate } from "../../tools/key-vault-emulator/network/certificates.ts";

/** Treatment of tunnels to a host. */
export type TunnelFate =
  | "passed"
  /** The connection ends without an answer. */
  | "reset"
  /** HTTP 503, as from a proxy without a connection to the Internet. */
  | "refused"
  /** No answer at all. */
  | "silent"
  /** TLS with a certificate from a CA that the client does not know. */
  | "untrusted";

export interface Tunnel {
  readonly host: string;
  readonly fate: TunnelFate;
}

/** A CONNECT proxy in front of the emulator's own. It can fail for single hosts, and has its own log. */
export interface VaultProxy {
  readonly url: string;
  /** Every requested tunnel, oldest first. */
  readonly log: readonly Tunnel[];
  /** Sets the fate of tunnels to the hosts. Cuts their open tunnels unless the fate is `passed`. */
  set(hosts: readonly string[], fate: TunnelFate): void;
  /** Leads later tunnels to the host to a port of this machine. */
  route(host: string, port: number): void;
  /** Stops listening, and ends every open tunnel. */
  close(): Promise<void>;
  /** Listens again at the same address. */
  open(): Promise<void>;
}

export async function startVaultProxy(target: string): Promise<VaultProxy> {
  const { hostname, port } = new URL(target);
  const log: Tunnel[] = [];
  const fates = new Map<string, TunnelFate>();
  const routes = new Map<string, number>();
  const tunnels = new Map<Duplex, string>();
  const { certificatePem, keyPem } = await issueServingCertificate(["*.vault.azure.net", "login.microsoftonline.com"]);
  const server = createServer((_request, response) => response.writeHead(405).end());
  const track = (socket: Duplex, host: string): void => {
    tunnels.set(socket, host);
    socket.once("close", () => tunnels.delete(socket));
    socket.on("error", () => socket.destroy());
  };
  const cut = (isMeant: (host: string) => boolean): void => {
    for (const [socket, host] of tunnels) if (isMeant(host)) socket.destroy();
  };
  server.on("connect", (request: IncomingMessage, client: Duplex, head: Buffer) => {
    const authority = request.url ?? "";
    const host = authority.replace(/:\d+$/, "");
    const fate = fates.get(host) ?? "passed";
    log.push({ host, fate });
    track(client, host);
    if (fate === "reset") client.destroy();
    else if (fate === "refused") client.end("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    else if (fate === "untrusted") answerUntrusted(client, { cert: certificatePem, key: keyPem });
    else if (fate === "passed") track(passed({ client, head, authority }, host), host);
  });
  const passed = (asked: Asked, host: string): Socket => {
    const routed = routes.get(host);
    return routed === undefined ? pass(asked, connect(Number(port), hostname)) : join(asked, connect(routed, "127.0.0.1"));
  };
  let address = 0;
  const open = async (): Promise<void> => {
    server.listen(address, "127.0.0.1");
    await once(server, "listening");
    address = (server.address() as AddressInfo).port; // A TCP server has a numbered port.
  };
  await open();
  return {
    url: `http://127.0.0.1:${address}`,
    log,
    set: (hosts, fate) => {
      for (const host of hosts) fates.set(host, fate);
      if (fate !== "passed") cut((host) => hosts.includes(host));
    },
    route: (host, to) => void routes.set(host, to),
    close: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      cut(() => true);
      await closed;
    },
    open,
  };
}

interface Asked {
  readonly client: Duplex;
  readonly head: Buffer;
  readonly authority: string;
}

function pass(asked: Asked, upstream: Socket): Socket {
  upstream.once("connect", () => {
    upstream.write(`CONNECT ${asked.authority} HTTP/1.1\r\nHost: ${asked.authority}\r\n\r\n`);
    flow(asked, upstream);
  });
  return ending(asked, upstream);
}

/** Connects to a server that is not a proxy. */
function join(asked: Asked, upstream: Socket): Socket {
  upstream.once("connect", () => {
    asked.client.write("HTTP/1.1 200 Connection established\r\n\r\n");
    flow(asked, upstream);
  });
  return ending(asked, upstream);
}

function flow({ client, head }: Asked, upstream: Socket): void {
  if (head.byteLength > 0) upstream.write(head);
  client.pipe(upstream);
  upstream.pipe(client);
}

function ending({ client }: Asked, upstream: Socket): Socket {
  upstream.once("close", () => client.destroy());
  client.once("close", () => upstream.destroy());
  return upstream;
}

function answerUntrusted(client: Duplex, certificate: { readonly cert: string; readonly key: string }): void {
  client.write("HTTP/1.1 200 Connection established\r\n\r\n");
  const secure = new TLSSocket(client, { isServer: true, ...certificate });
  secure.on("error", () => client.destroy());
}
