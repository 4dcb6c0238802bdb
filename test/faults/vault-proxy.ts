import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import { issueServingCertificate } from "../../tools/key-vault-emulator/network/certificates.ts";

/** What becomes of tunnels to a host. */
export type TunnelFate =
  | "passed"
  /** The connection ends without an answer. */
  | "reset"
  /** HTTP 503, as from a proxy that has lost its own way out. */
  | "refused"
  /** No answer at all. */
  | "silent"
  /** TLS with the certificate of a CA that the client does not know. */
  | "untrusted";

export interface Tunnel {
  readonly host: string;
  readonly fate: TunnelFate;
}

/** A CONNECT proxy before the emulator's own, which fails for single hosts on demand and keeps a log of its own. */
export interface VaultProxy {
  readonly url: string;
  /** Every tunnel that was asked for, oldest first. */
  readonly log: readonly Tunnel[];
  /** Open tunnels to the hosts are cut where their fate is not to pass. */
  set(hosts: readonly string[], fate: TunnelFate): void;
  /** Tunnels to the host end at a port of this machine from now on. */
  route(host: string, port: number): void;
  /** Nobody listens any more, and every open tunnel ends. */
  close(): Promise<void>;
  /** At the same address as before. */
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

/** To somebody who is no proxy. */
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
