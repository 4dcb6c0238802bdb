/**
 * Simulates the API server of an AKS cluster for identity bindings, according to the source of Azure provider 1.8.2. Under the API server's
 * own name, it presents a certificate that contains the cluster's name. Under the name of the cluster's token proxy, it accepts token
 * requests, checks the ServiceAccount's token, and returns the answer of Entra, here the emulator.
 */
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, request } from "node:https";
import { text } from "node:stream/consumers";
import { createSecureContext, type TLSSocket } from "node:tls";
import { HttpsProxyAgent } from "https-proxy-agent";

import type { Emulator } from "../../../tools/key-vault-emulator/emulator.ts";
import { issueServingCertificate } from "../../../tools/key-vault-emulator/network/certificates.ts";

export const API_SERVER = "kubernetes.default.svc.cluster.local";
const AUTHORITY = "login.microsoftonline.com";
const AUDIENCE = "api://AKSIdentityBinding";

export interface TokenRequest {
  readonly method: string;
  readonly path: string;
  /** Server name (SNI) of the connection. */
  readonly serverName: string;
  /** Form of a POST. */
  readonly form: Readonly<Record<string, string>>;
  /** Claims of the client assertion. */
  readonly claims: { readonly aud?: unknown; readonly sub?: string };
  readonly status: number;
}

export interface TokenProxyOptions {
  readonly emulator: Pick<Emulator, "proxyUrl"> & { readonly ca: string };
  /** Further names in the API server's certificate. */
  readonly apiServerNames: readonly string[];
  /** Name of the proxy in TLS. */
  readonly proxyName: string;
  /** Subjects that may use an identity, by the identity's client id. */
  readonly bindings: ReadonlyMap<string, readonly string[]>;
}

export interface TokenProxyServer {
  readonly port: number;
  /** CA of both certificates, PEM. */
  readonly ca: string;
  readonly requests: readonly TokenRequest[];
  /** Number of connections under the API server's own name. */
  readonly checks: number;
  stop(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

const refuse = (status: number, error: string): Answer => ({ status, body: JSON.stringify({ error, error_description: "not bound" }) });

export async function startTokenProxyServer(options: TokenProxyOptions): Promise<TokenProxyServer> {
  const [api, proxy] = await Promise.all([
    issueServingCertificate([API_SERVER, "localhost", ...options.apiServerNames]),
    issueServingCertificate([options.proxyName]),
  ]);
  const requests: TokenRequest[] = [];
  let checks = 0;
  const ofProxy = createSecureContext({ cert: proxy.certificatePem, key: proxy.keyPem });
  const ofApiServer = createSecureContext({ cert: api.certificatePem, key: api.keyPem });
  const chosen = (name: string) => {
    if (name === options.proxyName) return ofProxy;
    checks += 1;
    return ofApiServer;
  };
  const usual = { cert: api.certificatePem, key: api.keyPem };
  const server = createServer(
    { ...usual, SNICallback: (name, done) => done(null, chosen(name)) },
    (incoming, response) => void respond(incoming, response),
  );

  async function respond(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = await read(incoming);
    const answer = await answerTo(asked, options);
    requests.push({ ...asked, status: answer.status });
    response.writeHead(answer.status, { "content-type": "application/json" }).end(answer.body);
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the token proxy has no port");
  return {
    port: address.port,
    ca: `${api.caPem}${proxy.caPem}`,
    requests,
    get checks() {
      return checks;
    },
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** The server name that the client requested. Empty if it requested none. */
function nameOf(socket: TLSSocket): string {
  const { servername } = socket as TLSSocket & { readonly servername?: string | false }; // Node sets it on the sockets of a server.
  return servername === undefined || servername === false ? "" : servername;
}

async function read(incoming: IncomingMessage): Promise<Omit<TokenRequest, "status"> & { readonly body: string }> {
  const body = await text(incoming);
  const form = Object.fromEntries(new URLSearchParams(body));
  const { client_assertion: assertion = "" } = form;
  const claims = assertion === "" ? {} : (JSON.parse(Buffer.from(assertion.split(".")[1] ?? "", "base64url").toString()) as object);
  const { method = "", url: path = "" } = incoming;
  return { method, path, serverName: nameOf(incoming.socket as TLSSocket), form, claims, body };
}

type Asked = Awaited<ReturnType<typeof read>>;

async function answerTo(asked: Asked, { proxyName, bindings, emulator }: TokenProxyOptions): Promise<Answer> {
  // The API server itself has no such path.
  if (asked.serverName !== proxyName) return { status: 404, body: JSON.stringify({ kind: "Status", code: 404 }) };
  if (asked.method === "POST") {
    const { client_id: client = "" } = asked.form;
    const audiences = [asked.claims.aud].flat();
    if (audiences.length !== 1 || audiences[0] !== AUDIENCE) return refuse(401, "invalid_client");
    if (bindings.get(client)?.includes(asked.claims.sub ?? "") !== true) return refuse(403, "unauthorized_client");
  }
  return passOn(asked, emulator);
}

async function passOn({ method, path, body }: Asked, { proxyUrl, ca }: TokenProxyOptions["emulator"]): Promise<Answer> {
  const headers =
    method === "POST" ? { "content-type": "application/x-www-form-urlencoded", "content-length": Buffer.byteLength(body) } : {};
  const sent = request(`https://${AUTHORITY}${path}`, { method, headers, ca, agent: new HttpsProxyAgent(proxyUrl) });
  sent.end(body);
  const [answer] = (await once(sent, "response")) as [IncomingMessage]; // The event of a client's request.
  return { status: answer.statusCode ?? 0, body: await text(answer) };
}
