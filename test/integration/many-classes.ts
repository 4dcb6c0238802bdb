import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";

type Json = Readonly<Record<string, unknown>>;

export interface ManyClasses {
  /** Kubeconfig of this API server. */
  readonly kubeconfig: string;
  /** Whether a watch of the classes has begun, which means that all classes were listed before. */
  readonly isListed: () => boolean;
  stop(): Promise<void>;
}

/** Content of one class: half a mebibyte of unused parameters and half a mebibyte of keys. */
const NOTE = "x".repeat(512 * 1024);
const DATA = Array.from({ length: 2_000 }, (_, index) => ({ objectName: "o", key: `${index}-`.padEnd(230, "k") }));

function largeClass(index: number): string {
  const object: Json = {
    apiVersion: "secrets-store.csi.x-k8s.io/v1",
    kind: "SecretProviderClass",
    metadata: { name: `class-${index}`, namespace: "default", uid: `uid-${index}`, resourceVersion: "1" },
    spec: {
      provider: "azure",
      parameters: { keyvaultName: "kv", tenantId: "t", clientID: " id ", note: NOTE },
      secretObjects: [{ secretName: `secret-${index}`, type: "Opaque", data: DATA }],
    },
  };
  return JSON.stringify(object);
}

/** Starts an API server that serves this many classes of one mebibyte each, in pages of the requested size, and nothing else. */
export async function serveManyClasses(count: number): Promise<ManyClasses> {
  let isListed = false;
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://api");
    if (!url.pathname.endsWith("/secretproviderclasses")) {
      send(response, 404, { kind: "Status", apiVersion: "v1", status: "Failure", reason: "NotFound", code: 404 });
      return;
    }
    if (url.searchParams.get("watch") === "true") {
      isListed = true;
      response.writeHead(200, { "content-type": "application/json" }).flushHeaders();
      return;
    }
    const from = Number(url.searchParams.get("continue") ?? "0");
    const to = Math.min(count, from + Number(url.searchParams.get("limit") ?? count));
    response.writeHead(200, { "content-type": "application/json" });
    const metadata = { resourceVersion: "1", ...(to < count ? { continue: String(to) } : {}) };
    response.write(`{"kind":"SecretProviderClassList","metadata":${JSON.stringify(metadata)},"items":[`);
    for (let index = from; index < to; index++) response.write(`${index === from ? "" : ","}${largeClass(index)}`);
    response.end("]}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const folder = mkdtempSync(path.join(tmpdir(), "many-classes-"));
  const kubeconfig = path.join(folder, "kubeconfig");
  writeFileSync(kubeconfig, JSON.stringify(kubeconfigFor(port)));
  return {
    kubeconfig,
    isListed: () => isListed,
    stop: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      rmSync(folder, { recursive: true });
    },
  };
}

function send(response: ServerResponse, status: number, body: Json): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function kubeconfigFor(port: number): Json {
  const cluster = { server: `http://127.0.0.1:${port}`, "insecure-skip-tls-verify": true };
  return {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "c", cluster }],
    users: [{ name: "u", user: {} }],
    contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
    "current-context": "c",
  };
}
