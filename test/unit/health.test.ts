import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, beforeEach, describe, mock, test } from "node:test";
import { Gauge, Registry } from "prom-client";
import { type HealthServer, startHealthServer } from "../../src/runtime/health.ts";
import { createRegistry } from "../../src/runtime/metrics.ts";
import { eventually } from "../support/time/eventually.ts";
import { ELSEWHERE } from "../support/webhook/strangers.ts";

describe("the health server", () => {
  let server: HealthServer;
  let problem: string | undefined;

  beforeEach(async () => {
    problem = undefined;
    server = await startHealthServer({
      address: "127.0.0.1",
      port: 0,
      liveness: [{ name: "process", problem: () => undefined }],
      readiness: [{ name: "certificate", problem: () => problem }],
      registry: createRegistry("1.2.3"),
    });
  });
  afterEach(() => server.close());

  async function get(path: string): Promise<{ readonly status: number; readonly text: string }> {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`);
    return { status: response.status, text: await response.text() };
  }

  test("is ready when every check is content", async () => {
    assert.deepEqual(await get("/readyz"), { status: 200, text: "[+] draining\n[+] certificate\n" });
  });

  test("says which check is not, and why", async () => {
    problem = "no certificate has been issued yet";

    assert.deepEqual(await get("/readyz"), { status: 503, text: "[+] draining\n[-] certificate: no certificate has been issued yet\n" });
  });

  test("stays alive while it is not ready", async () => {
    problem = "not yet";

    assert.equal((await get("/livez")).status, 200);
  });

  test("is not ready any more once it drains", async () => {
    server.startDraining();

    assert.equal((await get("/readyz")).status, 503);
    assert.equal((await get("/livez")).status, 200);
  });

  test("serves metrics with the version", async () => {
    assert.match((await get("/metrics")).text, /process_cpu_user_seconds_total\{version="1\.2\.3"\}/);
  });

  test("answers with 500 if a collection of the metrics fails", async () => {
    const registry = new Registry();
    const failing = new Gauge({ name: "failing", help: "Fails.", registers: [registry] });
    mock.method(failing, "get", () => Promise.reject(new Error("the collection failed")));
    const health = await startHealthServer({ address: "127.0.0.1", port: 0, liveness: [], readiness: [], registry });
    assert.equal((await fetch(`http://127.0.0.1:${health.port}/metrics`)).status, 500);
    await health.close();
  });

  test("knows no other path", async () => {
    assert.equal((await get("/")).status, 404);
  });

  test("is reached by IPv4 where it listens on every address", async () => {
    const everywhere = await startHealthServer({
      address: "::",
      port: 0,
      liveness: [],
      readiness: [],
      registry: createRegistry("1.2.3"),
    });
    try {
      assert.equal((await fetch(`http://127.0.0.1:${everywhere.port}/livez`)).status, 200);
    } finally {
      await everywhere.close();
    }
  });
});

describe("the health server that strangers reach", () => {
  test("S1: answers a probe beside a thousand silent connections, and keeps no more of them than it says", async () => {
    const strangers: Socket[] = [];
    const health = await startHealthServer({ address: "127.0.0.1", port: 0, liveness: [], readiness: [], registry: new Registry() });
    for (let count = 0; count < 1_000; count++) {
      strangers.push(
        connect({ port: health.port, host: "127.0.0.1", localAddress: ELSEWHERE })
          .on("error", () => undefined)
          .resume(),
      );
    }
    await Promise.allSettled(strangers.map((socket) => once(socket, "connect")));
    const status = (await fetch(`http://127.0.0.1:${health.port}/livez`)).status;
    const open = (): number => strangers.filter(({ destroyed }) => !destroyed).length;
    const isBounded = await eventually(() => open() <= 200, { within: 5_000 }).catch(() => false);
    const kept = open();
    for (const socket of strangers) socket.destroy();
    await health.close();

    assert.equal(status, 200);
    assert.ok(isBounded, `${kept} of 1000 silent connections are kept`);
  });

  describe("by one connection", () => {
    const GET = "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n";
    let health: HealthServer;
    let socket: Socket;
    let received: string;
    const answers = (): number => received.split("HTTP/1.1 200").length - 1;

    beforeEach(async () => {
      received = "";
      health = await startHealthServer({ address: "127.0.0.1", port: 0, liveness: [], readiness: [], registry: new Registry() });
      socket = connect({ port: health.port, host: "127.0.0.1" }).on("error", () => undefined);
      socket.on("data", (chunk) => {
        received += chunk;
      });
      await once(socket, "connect");
    });
    afterEach(async () => {
      socket.destroy();
      await health.close();
    });

    test("answers requests of which each waits for the answer before", async () => {
      for (let count = 1; count <= 3; count++) {
        socket.write(GET);
        await eventually(() => answers() === count, { within: 5_000 });
      }
      assert.equal(socket.destroyed, false);
    });

    test("keeps no requests that do not wait for the answer before: their connection ends", async () => {
      socket.write(GET.repeat(100));
      const isEnded = await eventually(() => socket.destroyed || answers() === 100, { within: 5_000 }).catch(() => false);

      assert.ok(isEnded, "neither ended nor answered");
      assert.ok(answers() < 2, `${answers()} of 100 pipelined requests were answered`);
    });
  });
});
