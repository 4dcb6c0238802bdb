import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { request } from "node:https";
import { type AddressInfo } from "node:net";
import path from "node:path";
import type { ControlPlane } from "../cluster/control-plane.ts";

/**
 * An unencrypted proxy between the dashboard and the API server. Records the request lines, the Accept headers and all bytes of the
 * answers.
 */
export interface RecordingProxy {
  readonly kubeconfig: string;
  /** Paths of the requests, with their query. */
  readonly paths: readonly string[];
  /** The header `Accept` by path. */
  readonly accepted: ReadonlyMap<string, string>;
  /** Returns all bytes that the API server sent. */
  answers(): Buffer;
  stop(): Promise<void>;
}

export async function startRecordingProxy(plane: ControlPlane): Promise<RecordingProxy> {
  const [paths, chunks, accepted] = [[] as string[], [] as Buffer[], new Map<string, string>()];
  const server = createServer((incoming, outgoing) => {
    const { url = "/", method = "GET", headers } = incoming;
    paths.push(`${method} ${url}`);
    accepted.set(url, headers.accept ?? "");
    const { certPem: cert, keyPem: key, caPem: ca } = plane.config;
    const call = request(new URL(url, plane.server), { method, cert, key, ca, headers: { accept: headers.accept ?? "" } }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers).flushHeaders();
      answer.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        outgoing.write(chunk);
      });
      answer.on("end", () => outgoing.end());
      answer.on("error", () => outgoing.destroy());
    });
    call.on("error", () => outgoing.destroy());
    outgoing.on("close", () => call.destroy());
    incoming.pipe(call);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // A TCP server has a numbered port.
  const kubeconfig = path.join(plane.directory, `recorded-${port}.kubeconfig`);
  const cluster = { server: `http://127.0.0.1:${port}`, "insecure-skip-tls-verify": true };
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "recorded", cluster }],
    users: [{ name: "recorded", user: {} }],
    contexts: [{ name: "recorded", context: { cluster: "recorded", user: "recorded" } }],
    "current-context": "recorded",
  };
  writeFileSync(kubeconfig, JSON.stringify(config), { mode: 0o600 });
  return {
    kubeconfig,
    paths,
    accepted,
    answers: () => Buffer.concat(chunks),
    stop: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
