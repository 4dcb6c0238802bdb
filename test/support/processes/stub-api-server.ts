import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

export interface StubRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: URL;
  /** The requested representation. */
  readonly accept: string;
  /** Parsed JSON. Undefined if the request has no body. */
  readonly body: unknown;
}

/** An API server that answers as the test decides, for behavior that a test cannot cause in a real one. */
export interface StubApiServer {
  readonly kubeconfig: string;
  stop(): Promise<void>;
}

export async function startStubApiServer(handle: (request: StubRequest, response: ServerResponse) => void): Promise<StubApiServer> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://stub");
    readBody(request)
      .then((body) => handle({ method: request.method ?? "GET", url, accept: request.headers.accept ?? "", body }, response))
      .catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // It listens.
  const directory = mkdtempSync(path.join(tmpdir(), "stub-api-server-"));
  const kubeconfig = path.join(directory, "kubeconfig");
  writeFileSync(kubeconfig, JSON.stringify(configFor(`http://127.0.0.1:${port}`)));
  return {
    kubeconfig,
    stop: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** An API server that answers every read with an object, and keeps the `Authorization` header of each request; undefined if it has none. */
export async function startCredentialRecorder(): Promise<StubApiServer & { readonly sent: readonly (string | undefined)[] }> {
  const sent: (string | undefined)[] = [];
  const server = await startStubApiServer((_request, response) => {
    sent.push(response.req.headers.authorization);
    sendJson(response, 200, { metadata: { name: "kube-system" } });
  });
  return { ...server, sent };
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk as Uint8Array)); // The stream yields bytes.
  const text = Buffer.concat(chunks).toString("utf8");
  return text === "" ? undefined : JSON.parse(text);
}

function configFor(server: string): unknown {
  return {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "stub",
    clusters: [{ name: "stub", cluster: { server, "insecure-skip-tls-verify": true } }],
    users: [{ name: "stub", user: { token: "stub" } }],
    contexts: [{ name: "stub", context: { cluster: "stub", user: "stub" } }],
  };
}
