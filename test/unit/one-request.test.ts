import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer as createHttpServer, type RequestListener, type Server, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, connect, type Socket } from "node:net";
import path from "node:path";
import { after, before, describe, type TestContext, test } from "node:test";
import { promisify } from "node:util";
import type { Connection } from "../../src/runtime/connection-table.ts";
import { createFairTurns } from "../../src/runtime/fair-turns.ts";
import { type HealthServer, startHealthServer } from "../../src/runtime/health.ts";
import { createRegistry } from "../../src/runtime/metrics.ts";
import { EVERY_REQUEST, takeRequests } from "../../src/runtime/one-request.ts";
import { REPOSITORY } from "../../tools/repository-files.ts";
import { aClass, aPod, aReview, OPTED_IN } from "../support/fixtures/pods.ts";
import { selfSignedCertificate } from "../support/fixtures/serving-certificate.ts";
import { eventually } from "../support/time/eventually.ts";
import { type ListeningWebhook, startWebhook } from "../support/webhook/listening-webhook.ts";
import { countRequests } from "../support/webhook/parsed-requests.ts";
import { ELSEWHERE, strangersThatSay, wholeRequest } from "../support/webhook/strangers.ts";

const MIB = 1024 * 1024;

const GET = "GET /x HTTP/1.1\r\nHost: x\r\n\r\n";

/** Requests that a client may repeat without waiting for a response. */
const REPEATED: Readonly<Record<string, string>> = {
  "GETs of a path that serves nothing": GET,
  "GETs of a path for reviews": "GET /mutate/pods HTTP/1.1\r\nHost: x\r\n\r\n",
  "empty POSTs": "POST /mutate/pods HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
  "POSTs with a body": "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
  probes: "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n",
  "expectations that Node does not know": "GET /x HTTP/1.1\r\nHost: x\r\nExpect: y\r\n\r\n",
  "expectations of a 100": "GET /x HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n",
  "requests without a host": "GET /x HTTP/1.1\r\n\r\n",
  "requests of HTTP/1.0": "GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
  CONNECTs: "CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
};

/** Paths to which a client may send a body in crumbs. */
const CRUMBS: Readonly<Record<string, string>> = {
  "to a path that serves nothing": "/x",
  "to a path for reviews": "/mutate/pods",
};

/** Number of crumbs before the webhook notices that the body comes in crumbs. */
const MOST_HELD = 64;

/** The first request, and the one that ends the connection. */
const MOST_PARSED = 2;

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port; // A TCP server that listens has an AddressInfo.
}

/** Takes the requests of a server with one client, on a free port. */
async function listening(t: TestContext, server: Server, listener: RequestListener): Promise<number> {
  const connection: Connection = { peer: "client", enter: () => undefined, verify: () => undefined };
  takeRequests(server, { get: () => connection }, listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return portOf(server);
}

describe("one MiB of requests on one connection", () => {
  let webhook: ListeningWebhook;
  let health: HealthServer;

  before(async () => {
    webhook = await startWebhook({ known: [aClass()] });
    health = await startHealthServer({ address: "127.0.0.1", port: 0, liveness: [], readiness: [], registry: createRegistry("1.2.3") });
  });
  after(async () => {
    await webhook.stop();
    await health.close();
  });

  async function toHealthPort(said: string): Promise<{ readonly sockets: readonly Socket[]; readonly end: () => void }> {
    const socket = connect({ port: health.port, host: "127.0.0.1", localAddress: ELSEWHERE }).on("error", () => undefined);
    await once(socket, "connect");
    socket.resume().write(said);
    return { sockets: [socket], end: () => socket.destroy() };
  }

  for (const [what, request] of Object.entries(REPEATED)) {
    for (const [where, isWebhook] of [
      ["the webhook's port", true],
      ["the health port", false],
    ] as const) {
      test(`AF2: has few of them parsed and kept, and ends the connection: ${what}, ${where}`, async (t) => {
        const counted = countRequests(isWebhook ? webhook.port : health.port);
        t.after(counted.stop);
        const said = request.repeat(Math.ceil(MIB / request.length));
        const { sockets, end } = await (isWebhook ? strangersThatSay(said, 1, webhook) : toHealthPort(said));
        t.after(end);
        const isEnded = await eventually(() => sockets[0]?.closed === true, { within: 10_000 }).catch(() => false);

        assert.ok(isEnded, `the connection is still open after ${counted.parsed()} requests`);
        assert.ok(counted.parsed() <= MOST_PARSED, `Node parsed ${counted.parsed()} requests`);
        assert.ok(counted.mostKept() <= MOST_PARSED, `Node kept ${counted.mostKept()} requests`);
      });
    }
  }

  for (const [where, isWebhook] of [
    ["the webhook's port", true],
    ["the health port", false],
  ] as const) {
    for (const [what, urlPath] of Object.entries(CRUMBS)) {
      test(`AF2: keeps no body in crumbs, and ends the connection: ${what}, ${where}`, async (t) => {
        const counted = countRequests(isWebhook ? webhook.port : health.port);
        t.after(counted.stop);
        const said = `POST ${urlPath} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${"1\r\n \r\n".repeat(MIB / 8)}`;
        const { sockets, end } = await (isWebhook ? strangersThatSay(said, 1, webhook) : toHealthPort(said));
        t.after(end);
        const isEnded = await eventually(() => sockets[0]?.closed === true, { within: 10_000 }).catch(() => false);

        assert.ok(isEnded, "the connection is still open");
        assert.ok(counted.mostHeld() <= MOST_HELD, `Node kept ${counted.mostHeld()} crumbs`);
      });
    }
  }
});

describe("a client that does not wait for a response", () => {
  test("AF1: has two of its requests kept at most, although each response is complete at once", async (t) => {
    const responses: ServerResponse[] = [];
    const port = await listening(t, createHttpServer(EVERY_REQUEST), (_request, response) => {
      responses.push(response);
      response.end();
    });
    const socket = connect({ port, host: "127.0.0.1" }).on("error", () => undefined);
    socket.resume().write(GET.repeat(1_000));
    await once(socket, "close");

    assert.equal(responses.length, 2);
  });
});

interface PromptResult {
  readonly statuses: Readonly<Record<string, number>>;
  readonly isCut: boolean;
}

interface PromptRequests {
  readonly port: number;
  readonly transport: "tls" | "tcp";
  readonly count: number;
  readonly request: string;
}

async function ask({ port, transport, count, request }: PromptRequests): Promise<PromptResult> {
  const client = path.join(REPOSITORY, "test/support/webhook/prompt-client.ts");
  const { stdout } = await promisify(execFile)(process.execPath, [client, String(port), transport, String(count), request]);
  return JSON.parse(stdout);
}

describe("a client that waits for a 100 before it sends its body", () => {
  test("AF2: gets it, and then its review", async (t) => {
    const webhook = await startWebhook({ known: [aClass()] });
    t.after(() => webhook.stop());
    const [head = "", body = ""] = wholeRequest(aReview(aPod(OPTED_IN))).split("\r\n\r\n");
    const { sockets, end } = await strangersThatSay(`${head}\r\nExpect: 100-continue\r\n\r\n`, 1, webhook);
    t.after(end);
    let received = "";
    sockets[0]?.on("data", (bytes) => {
      received += bytes;
      if (received.endsWith("100 Continue\r\n\r\n")) sockets[0]?.write(body);
    });
    await eventually(() => received.includes("JSONPatch"), { within: 5_000 });

    assert.match(received, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
  });
});

describe("a client that sends its next request as soon as it has a response", () => {
  test("AF1: is answered thousands of times on one connection of the webhook", async (t) => {
    const webhook = await startWebhook({ known: [aClass()] });
    t.after(() => webhook.stop());
    const toPort = { port: webhook.port, transport: "tls" } as const;
    const [reviews, mistakes] = await Promise.all([
      ask({ ...toPort, count: 3_000, request: wholeRequest(aReview(aPod(OPTED_IN))) }),
      ask({ ...toPort, count: 3_000, request: GET }),
    ]);

    assert.deepEqual(reviews, { statuses: { 200: 3_000 }, isCut: false });
    assert.deepEqual(mistakes, { statuses: { 404: 3_000 }, isCut: false });
  });

  test("AF1: is answered thousands of times on one connection of the health port", async (t) => {
    const health = await startHealthServer({ address: "127.0.0.1", port: 0, liveness: [], readiness: [], registry: createRegistry("1") });
    t.after(() => health.close());
    const probe = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";

    assert.deepEqual(await ask({ port: health.port, transport: "tcp", count: 3_000, request: probe }), {
      statuses: { 200: 3_000 },
      isCut: false,
    });
  });

  test("AF1: is not cut off where Node has not noticed that the response before is sent, small or large", async (t) => {
    const { cert, key } = selfSignedCertificate();
    const turns = createFairTurns();
    let last: ServerResponse | undefined;
    let [early, answered] = [0, 0];
    const port = await listening(t, createHttpsServer({ cert, key, ...EVERY_REQUEST }), (_request, response) => {
      if (last?.writableFinished === false) early += 1;
      last = response;
      answered += 1;
      const text = "x".repeat(answered % 2 === 0 ? 10 : 300_000);
      turns.run("client", () => response.setHeader("Content-Length", text.length).end(text));
      // Gives the client time to read the response and to send its next request, in the same round of the event loop.
      turns.run("other", () => spin(2));
    });
    const result = await ask({ port, transport: "tls", count: 1_000, request: GET });

    assert.deepEqual(result, { statuses: { 200: 1_000 }, isCut: false });
    assert.ok(early > 0, "the control: requests arrive before Node has noticed that the response before is sent");
    t.diagnostic(`${early} of 1000 requests arrived before Node had noticed that the response before was sent`);
  });
});

function spin(milliseconds: number): void {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
}
