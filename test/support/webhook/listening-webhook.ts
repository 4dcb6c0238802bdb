import { Agent, type RequestOptions, request } from "node:https";
import { Registry } from "prom-client";
import type { ObjectRef, SecretProviderClass } from "../../../src/domain/kubernetes.ts";
import type { Clock } from "../../../src/domain/ports/clock.ts";
import type { KubeClient } from "../../../src/domain/ports/kube-client.ts";
import type { Logger } from "../../../src/domain/ports/logger.ts";
import { systemClock } from "../../../src/runtime/clock.ts";
import { SETTINGS } from "../../../src/runtime/settings.ts";
import { createWebhookServer, type WebhookServerOptions } from "../../../src/webhook/compose.ts";
import type { AdmissionServer } from "../../../src/webhook/server.ts";
import { selfSignedCertificate } from "../fixtures/serving-certificate.ts";

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  /** Decoded body. */
  readonly json: ReviewAnswer;
}

/** The fields of an answer that tests read. */
export interface ReviewAnswer {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly response?: {
    readonly uid: string;
    readonly allowed: boolean;
    readonly patch?: string;
    readonly patchType?: string;
    readonly status?: { readonly code: number; readonly reason: string; readonly message: string };
    readonly warnings?: readonly string[];
    readonly auditAnnotations?: Readonly<Record<string, string>>;
  };
}

export interface ListeningWebhook {
  readonly server: AdmissionServer;
  readonly port: number;
  readonly registry: Registry;
  readonly log: LogLine[];
  readonly agent: Agent;
  post(body: string | Buffer, options?: RequestOptions): Promise<HttpAnswer>;
  stop(): Promise<void>;
}

export interface WebhookParts
  extends Partial<Pick<WebhookServerOptions, "settings" | "gate">>,
    Partial<WebhookServerOptions["api"]>,
    Partial<WebhookServerOptions["tls"]> {
  readonly clock?: Clock;
  readonly known?: readonly SecretProviderClass[];
}

/** Starts the real server on a free port with real TLS. Its classes come from a list, and the API server has no others. */
export async function startWebhook({
  known = [],
  settings,
  gate,
  clock = systemClock,
  ...parts
}: WebhookParts = {}): Promise<ListeningWebhook> {
  const certificate = selfSignedCertificate();
  const registry = new Registry();
  const log: LogLine[] = [];
  const server = createWebhookServer({
    settings: settings ?? { version: "9.9.9-test", strictAnnotations: false },
    clouds: { cloudName: SETTINGS["cloud-name"].default, identityBindings: false },
    listen: { address: "::", port: 0 },
    tls: { certificates: { current: () => certificate, onChange: () => undefined }, ...parts },
    api: {
      classes: {
        get: (ref: ObjectRef) => known.find(({ metadata }) => metadata.namespace === ref.namespace && metadata.name === ref.name),
      },
      namespaces: { get: () => undefined },
      kube: nothingInTheCluster,
      ...parts,
    },
    process: { registry, clock, logger: loggerInto(log) },
    ...(gate === undefined ? {} : { gate }),
  });
  const port = await server.start();
  const agent = new Agent({ keepAlive: true, ca: certificate.cert });
  return {
    server,
    port,
    registry,
    log,
    agent,
    post: (body, options) => send({ agent, port, body, options: options ?? {} }),
    stop: async () => {
      agent.destroy();
      await server.drain({ delayMs: 0, graceMs: 1000 });
    },
  };
}

const nothingInTheCluster: Pick<KubeClient, "read"> = { read: async () => ({ kind: "absent" }) };

interface Sent {
  readonly agent: Agent;
  readonly port: number;
  readonly body: string | Buffer;
  readonly options: RequestOptions;
}

async function send({ agent, port, body, options }: Sent): Promise<HttpAnswer> {
  const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: "localhost", port, path: "/mutate/pods", method: "POST", agent, headers, ...options }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("error", reject);
      incoming.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text, json: JSON.parse(text) });
      });
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

function loggerInto(log: LogLine[]): Logger {
  const at = (level: string) => (message: string, fields?: Readonly<Record<string, unknown>>) =>
    void log.push({ level, message, fields: fields ?? {} });
  const logger: Logger = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error"), child: () => logger };
  return logger;
}
