import { createServer as createProxy, type Server } from "node:http";
import { connect, createServer as createTcpServer, type Server as TcpServer } from "node:net";
import { createServer as createTlsServer, type Server as TlsServer } from "node:tls";
import { selfSignedCertificate } from "../../support/fixtures/serving-certificate.ts";

/** Proxies that lead nowhere. */
export interface WrongProxies {
  /** Accepts connections and never answers. */
  readonly silent: string;
  /** Connects every name to a server that has a certificate for another name. */
  readonly wrong: string;
  /** PEM of that certificate, for clients that should trust it. */
  readonly certificate: string;
  stop(): void;
}

export async function startWrongProxies(): Promise<WrongProxies> {
  const silent = createTcpServer();
  const certificate = selfSignedCertificate("wrong", ["somebody.else.example"]);
  const tls = createTlsServer(certificate);
  tls.on("tlsClientError", () => undefined);
  const proxy = await proxyTo(await listening(tls));
  const urls = { silent: `http://127.0.0.1:${await listening(silent)}`, wrong: proxy.url };
  const servers = [silent, tls, proxy.server];
  return {
    ...urls,
    certificate: certificate.cert,
    stop: () => {
      for (const server of servers) {
        server.close();
        if ("closeAllConnections" in server) server.closeAllConnections();
      }
    },
  };
}

function listening(server: Server | TcpServer | TlsServer): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
}

/** Starts a proxy that connects every name to one local port. */
async function proxyTo(port: number): Promise<{ readonly server: Server; readonly url: string }> {
  const server = createProxy();
  server.on("connect", (_request, client) => {
    const upstream = connect(port, "127.0.0.1", () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      client.pipe(upstream).pipe(client);
    });
    for (const socket of [client, upstream]) socket.on("error", () => socket.destroy());
  });
  return { server, url: `http://127.0.0.1:${await listening(server)}` };
}
