import "../simulation/time/install.ts";
import "../simulation/network/install.ts";
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { lookup } from "node:dns";
import { connect as connectTcp, createServer } from "node:net";
import { describe, test } from "node:test";
import { setInterval as intervals, setTimeout as wait } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { Worker } from "node:worker_threads";

const crypto = await import("node:crypto");
const os = await import("node:os");
const { Agent, request } = await import("undici");
const { PerformanceObserver } = await import("node:perf_hooks");
const { activeScheduler, beginWorld, EPOCH } = await import("../simulation/time/context.ts");

/** Functions of Node that the simulation must block, because they reach the real machine; each with a call that tries it. */
const REAL: Readonly<Record<string, () => unknown>> = {
  "a TCP connection": () => connectTcp(1, "127.0.0.1"),
  "a TLS connection": () => connectTls(1, "127.0.0.1"),
  "a port": () => createServer().listen(0),
  "a datagram socket": () => createSocket("udp4"),
  "a name look-up": () => lookup("localhost", () => undefined),
  "a thread of Node's own": () => new Worker(new URL(import.meta.url)),
  "an interval of promises": () => intervals(1),
  "a random number of Node's own": () => crypto.randomInt(2),
  "random bytes of Node's own": () => crypto.randomFill(Buffer.alloc(1), () => undefined),
};

describe("a simulated world", () => {
  for (const [what, open] of Object.entries(REAL)) {
    test(`has no ${what}`, () => {
      assert.throws(open, /simulation: .* was to be opened/);
    });
  }

  test("is what makes them throw: the control, in a process without it", () => {
    const script = `
      import { createSocket } from "node:dgram";
      import { createServer } from "node:net";
      createServer().listen(0, "127.0.0.1", function () { console.log("a port"); this.close(); });
      createSocket("udp4").close(() => console.log("a datagram socket"));`;
    const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
    assert.deepEqual(stdout.trim().split("\n").sort(), ["a datagram socket", "a port"]);
  });

  test("has no request before it has begun", async () => {
    await assert.rejects(request("https://api.simulated/", { dispatcher: new Agent() }), /before a world began/);
  });

  test("shows its own time by every clock, and lets it pass by every timer", async () => {
    const { scheduler } = beginWorld(1);
    const clocks = (): readonly number[] => [
      Date.now() - EPOCH,
      new Date().getTime() - EPOCH,
      performance.now(),
      process.uptime() * 1_000,
      os.uptime() * 1_000,
      Number(process.hrtime.bigint()) / 1e6,
      process.hrtime()[0] * 1_000,
    ];
    let fired = 0;
    setTimeout(() => fired++, 60_000);
    setInterval(() => fired++, 60_000);
    setImmediate(() => fired++);
    wait(60_000).then(
      () => fired++,
      () => undefined,
    );
    AbortSignal.timeout(60_000).addEventListener("abort", () => fired++);
    assert.deepEqual(clocks(), [0, 0, 0, 0, 0, 0, 0]);

    await scheduler.runUntil(60_000);

    assert.deepEqual(
      clocks(),
      Array.from({ length: 7 }, () => 60_000),
    );
    assert.equal(fired, 5);
  });

  test("draws the same from the same seed, by whatever it is asked for", () => {
    const drawn = (seed: number): unknown => {
      beginWorld(seed);
      const filled = crypto.randomFillSync(Buffer.alloc(4)).toString("hex");
      const web = globalThis.crypto;
      const views = [web.getRandomValues(new Uint8Array(4)), crypto.getRandomValues(new Uint8Array(4))].map((view) => [...view]);
      return [Math.random(), crypto.randomUUID(), web.randomUUID(), crypto.randomBytes(4).toString("hex"), filled, ...views];
    };
    assert.deepEqual(drawn(1), drawn(1));
    assert.notDeepEqual(drawn(1), drawn(2));
  });

  test("does not see when garbage is collected", () => {
    beginWorld(1);
    new PerformanceObserver(() => undefined).observe({ entryTypes: ["gc"] });
    for (let count = 0; count < 200; count += 1) Array.from({ length: 50_000 }, () => ({}));
    assert.equal(activeScheduler().events, 0);
  });
});
