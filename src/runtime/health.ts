import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Registry } from "prom-client";
import { type Connection, type ConnectionTable, createConnectionTable } from "./connection-table.ts";
import { createFairTurns } from "./fair-turns.ts";
import { createMetricsText } from "./metrics-text.ts";
import { EVERY_REQUEST, takeRequests } from "./one-request.ts";
import { peerOf } from "./peer.ts";

/** A check that passes or returns a problem. */
export interface HealthCheck {
  readonly name: string;
  /** Returns undefined if all is well, otherwise one sentence about the problem. */
  readonly problem: () => string | undefined;
}

export interface HealthOptions {
  /** `::` means every address of the machine, and only IPv4 if it has no IPv6. */
  readonly address: string;
  /** 0 means any free port. */
  readonly port: number;
  /** Checks whether the process is stuck. A failure makes Kubernetes restart the container. */
  readonly liveness: readonly HealthCheck[];
  /** Checks whether the pod can receive work. A failure removes the pod from its Service. */
  readonly readiness: readonly HealthCheck[];
  /** Shown with readiness, but without effect on its result. */
  readonly notes?: readonly HealthCheck[];
  readonly registry: Registry;
}

export interface HealthServer {
  readonly port: number;
  /** From now on `/readyz` fails, whatever the checks return: the first step of an orderly stop. */
  startDraining(): void;
  close(): Promise<void>;
}

/** Serves `/livez`, `/readyz` and `/metrics` on plain HTTP, inside the cluster only. */
export async function startHealthServer(options: HealthOptions): Promise<HealthServer> {
  let isDraining = false;
  const draining: HealthCheck = { name: "draining", problem: () => (isDraining ? "the process is stopping" : undefined) };
  const metricsText = createMetricsText(options.registry);
  const routes: Readonly<Record<string, (response: ServerResponse) => void>> = {
    "/livez": (response) => answer(response, options.liveness),
    "/readyz": (response) => answer(response, [draining, ...options.readiness], options.notes),
    "/metrics": (response) => void sendMetrics(response, metricsText, options.registry.contentType),
  };
  const server = createServer({ ...TIMEOUTS, ...EVERY_REQUEST });
  const table = serveFairly(server, (request, response) => {
    const route = routes[(request.url ?? "").split("?")[0] ?? ""];
    if (route === undefined || request.method !== "GET") response.writeHead(404).end();
    else route(response);
  });
  await listen(server, options);
  return {
    port: (server.address() as AddressInfo).port, // A TCP server that listens has an AddressInfo.
    startDraining: () => {
      isDraining = true;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
        table.close();
      }),
  };
}

/** Probes and metrics come from few clients. Any others may want this process to be restarted. */
const MOST_CONNECTIONS = 200;
/** No client sends a body here. */
const TIMEOUTS = { headersTimeout: 5_000, requestTimeout: 5_000, connectionsCheckingInterval: 1_000 } as const;

/**
 * Every client that reaches the port may send requests, and the kubelet among them must get its response. Metrics take milliseconds of the
 * event loop, so each response waits for its peer's turn, and connections of one address take no room from another's.
 */
function serveFairly(server: Server, listener: (request: IncomingMessage, response: ServerResponse) => void): ConnectionTable {
  const table = createConnectionTable(MOST_CONNECTIONS);
  const turns = createFairTurns();
  const connections = new WeakMap<Socket, Connection>();
  server.on("connection", (socket) => {
    const connection = table.open(socket);
    if (connection !== undefined) connections.set(socket, connection);
  });
  takeRequests(server, connections, (request, response) => {
    // Each piece of a body would cost the event loop time, also if the server dropped it.
    if (hasBody(request)) {
      request.socket.destroy();
      return;
    }
    request.resume();
    turns.run(peerOf(request.socket), () => {
      if (!response.destroyed) listener(request, response);
    });
  });
  return table;
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) !== 0;
}

function listen(server: Server, { address, port }: HealthOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => reject(new Error(`cannot serve health and metrics on ${address} port ${port}: ${error.message}`)));
    // Without a host, Node itself falls back to IPv4 if the kernel has no IPv6.
    server.listen({ port, ...(address === "::" ? {} : { host: address }) }, () => resolve());
  });
}

function answer(response: ServerResponse, checks: readonly HealthCheck[], notes: readonly HealthCheck[] = []): void {
  const asked = (check: HealthCheck) => ({ name: check.name, problem: check.problem() });
  const lines = checks.map(asked);
  const isHealthy = lines.every((line) => line.problem === undefined);
  response.writeHead(isHealthy ? 200 : 503, { "content-type": "text/plain; charset=utf-8" });
  const shown = (mark: string, { name, problem }: (typeof lines)[number]): string =>
    problem === undefined ? `[+] ${name}` : `[${mark}] ${name}: ${problem}`;
  response.end(`${[...lines.map((line) => shown("-", line)), ...notes.map(asked).map((line) => shown("~", line))].join("\n")}\n`);
}

async function sendMetrics(response: ServerResponse, metricsText: () => Promise<string>, contentType: string): Promise<void> {
  try {
    const text = await metricsText();
    response.writeHead(200, { "content-type": contentType }).end(text);
  } catch {
    response.writeHead(500).end();
  }
}
