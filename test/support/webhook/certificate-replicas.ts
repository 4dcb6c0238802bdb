import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer } from "node:tls";
import type { Clock } from "../../../src/domain/ports/clock.ts";
import type { KubeClient } from "../../../src/domain/ports/kube-client.ts";
import { type Certificates, startCertificates } from "../../../src/tls/start-certificates.ts";
import type { ControlPlane } from "../cluster/control-plane.ts";
import { kubeAccess } from "../cluster/kube-access.ts";
import { type RecordedEntry, recordingLogger } from "../worker/recording-logger.ts";

export const NAMESPACE = "keyvault-injector";
export const SERVICE = "keyvault-injector-webhook";

export interface Replica extends Certificates {
  readonly entries: readonly RecordedEntry[];
  stop(): Promise<void>;
}

/** Starts the certificate code of one webhook pod, with the kubeconfig's identity. */
export function startReplica(kubeconfig: string, podName: string, clock: Clock): Replica {
  const logger = recordingLogger();
  const access = kubeAccess(kubeconfig, logger);
  const controller = new AbortController();
  const { client } = access;
  const options = { client, watcher: access.watcher(), clock, logger, namespace: NAMESPACE, podName, service: SERVICE };
  const certificates = startCertificates(options, controller.signal);
  return {
    ...certificates,
    entries: logger.entries,
    stop: async () => {
      controller.abort(new Error("the test is over"));
      await certificates.done;
      await access.config.close();
    },
  };
}

/** The CA Secret as kubectl prints it. Undefined if it does not exist. */
export async function liveSecret(plane: ControlPlane): Promise<LiveSecret | undefined> {
  const text = await plane.kubectl([
    "get",
    "secret",
    "keyvault-injector-ca",
    "-n",
    NAMESPACE,
    "-o",
    "json",
    "--show-managed-fields",
    "--ignore-not-found",
  ]);
  if (text.trim() === "") return undefined;
  const secret = JSON.parse(text) as Omit<LiveSecret, "ca" | "previous"> & { data?: Record<string, string> }; // kubectl prints a Secret in this form.
  return { ...secret, ca: decode(secret.data?.["ca.crt"]), previous: decode(secret.data?.["previous-ca.crt"]) };
}

export interface LiveSecret {
  readonly metadata: {
    readonly resourceVersion: string;
    readonly uid: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly managedFields: readonly { readonly manager: string; readonly operation: string }[];
  };
  readonly ca: string;
  readonly previous: string;
}

export interface LiveConfiguration {
  readonly resourceVersion: string;
  readonly entries: readonly string[];
  /** PEM. Empty if the configuration has none. */
  readonly bundle: string;
}

export async function liveConfiguration(plane: ControlPlane): Promise<LiveConfiguration | undefined> {
  const text = await plane.kubectl(["get", "mutatingwebhookconfiguration", "keyvault-injector", "-o", "json", "--ignore-not-found"]);
  if (text.trim() === "") return undefined;
  const object = JSON.parse(text) as {
    metadata: { resourceVersion: string };
    webhooks?: { name: string; clientConfig: { caBundle?: string } }[];
  }; // kubectl prints this kind in this form.
  return {
    resourceVersion: object.metadata.resourceVersion,
    entries: (object.webhooks ?? []).map(({ name }) => name),
    bundle: decode(object.webhooks?.find(({ name }) => name === "pods.keyvault-injector.dev")?.clientConfig.caBundle),
  };
}

function decode(base64: string | undefined): string {
  return Buffer.from(base64 ?? "", "base64").toString("utf8");
}

export function certificatesIn(bundle: string): readonly X509Certificate[] {
  return (bundle.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map((pem) => new X509Certificate(pem));
}

/** Checks only the signature, because the clocks of these tests differ from the machine's. */
export function isSignedByOneOf(leaf: string, bundle: string): boolean {
  const certificate = new X509Certificate(leaf);
  return certificatesIn(bundle).some((ca) => certificate.checkIssued(ca) && certificate.verify(ca.publicKey));
}

/** Opens a TLS connection like the API server, with only `bundle` as trusted CAs. Resolves with "ok" or OpenSSL's reason. */
export async function callTls(replica: Certificates, bundle: string): Promise<string> {
  const pair = replica.source.current();
  if (pair === undefined) return "no certificate";
  const server = createServer({ cert: pair.cert, key: pair.key });
  server.on("tlsClientError", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // A TCP server that listens has an AddressInfo.
  const servername = `${SERVICE}.${NAMESPACE}.svc`;
  const ca = certificatesIn(bundle).map(String);
  const socket = connect({ host: "127.0.0.1", port, ca, servername });
  try {
    return await new Promise<string>((resolve) => {
      socket.once("secureConnect", () => resolve(socket.authorized ? "ok" : "unauthorized"));
      socket.once("error", (error: Error & { code?: string }) => resolve(error.code ?? error.message));
    });
  } finally {
    socket.destroy();
    server.close();
  }
}

/** Blocks a number of callers until all have arrived, which makes a race certain. */
export function barrier(parties: number): () => Promise<void> {
  const waiting: (() => void)[] = [];
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      if (waiting.length === parties) for (const go of waiting) go();
    });
}

/** A client that runs `happening` right before its first apply. */
export function beforeFirstApply(client: KubeClient, happening: () => Promise<unknown>): KubeClient {
  let isFirst = true;
  return {
    read: client.read.bind(client),
    readMetadata: client.readMetadata.bind(client),
    list: client.list.bind(client),
    create: client.create.bind(client),
    replace: client.replace.bind(client),
    mergePatch: client.mergePatch.bind(client),
    delete: client.delete.bind(client),
    requestToken: client.requestToken.bind(client),
    apply: async (resource, body, options, signal) => {
      if (isFirst) {
        isFirst = false;
        await happening();
      }
      return client.apply(resource, body, options, signal);
    },
  };
}
