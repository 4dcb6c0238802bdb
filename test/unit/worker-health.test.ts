import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { describe, type TestContext, test } from "node:test";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import { loadKubeConfig } from "../../src/kube/load-config.ts";
import { createKubeWatcher } from "../../src/kube/reflector.ts";
import { type ComposedProcess, composeProcess } from "../support/processes/composed-process.ts";
import { sendJson, startStubApiServer } from "../support/processes/stub-api-server.ts";
import { SimulatedWorld } from "../support/simulation/world.ts";
import { eventually } from "../support/time/eventually.ts";
import { SteppedClock } from "../support/time/stepped-clock.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

const MINUTE_MS = 60_000;

/** An API server that has no objects, rejects the token, or does not respond. */
class Server {
  mood: "well" | "refusing" | "away" = "well";

  answer(response: ServerResponse): void {
    if (this.mood === "away") response.destroy();
    else if (this.mood === "refusing") sendJson(response, 401, { kind: "Status", code: 401, reason: "Unauthorized" });
    else sendJson(response, 404, { kind: "Status", code: 404 });
  }
}

async function worker(t: TestContext, mood: Server["mood"] = "well"): Promise<{ server: Server; running: ComposedProcess }> {
  const server = new Server();
  server.mood = mood;
  const running = await composeProcess("sync", (_request, response) => server.answer(response));
  t.after(() => running.stop());
  return { server, running };
}

/** Returns the text of the check as soon as it has the status. Returns false if it never does. */
function health(running: ComposedProcess, path: "/livez" | "/readyz", status: number): Promise<string | false> {
  return eventually(
    async () => {
      const answer = await running.health(path);
      return answer?.status === status ? answer.text : undefined;
    },
    { within: 8_000 },
  ).catch(() => false);
}

/** Lets time pass while the worker continues to send requests. The steps are too short for a heartbeat to count as a block. */
async function pass(running: ComposedProcess, milliseconds: number): Promise<void> {
  for (let passed = 0; passed < milliseconds; passed += 900) {
    running.clock.step(900);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe("the worker's standby", () => {
  test("U1: is not ready while its token is refused, with why; is not restarted for it, and is ready again by itself", async (t) => {
    const { server, running } = await worker(t);
    assert.notEqual(await health(running, "/readyz", 200), false);

    server.mood = "refusing";
    await eventually(() => running.logger.entries.some(({ message }) => message === "lease not read"), { what: "a refusal" });
    await pass(running, 3 * MINUTE_MS);

    const text = await health(running, "/readyz", 503);
    assert.match(String(text), /\[-\] api-server: the API server has rejected our token for \w+ \(401\): .*delete this pod/);
    assert.notEqual(await health(running, "/livez", 200), false, "a restart has the same token");
    server.mood = "well";
    assert.notEqual(await health(running, "/readyz", 200), false, "it does not come back by itself");
  });

  test("U1: is alive and not ready while the API server is away, from the start on", async (t) => {
    const { server, running } = await worker(t, "away");

    assert.match(String(await health(running, "/readyz", 503)), /\[-\] start: /);
    await pass(running, 2 * MINUTE_MS);
    assert.match(String(await health(running, "/readyz", 503)), /\[-\] api-server: no answer from the API server for \w+/);
    assert.notEqual(await health(running, "/livez", 200), false, "a restart does not bring it back");
    server.mood = "well";
    running.clock.step(900);
    assert.notEqual(await health(running, "/readyz", 200), false, "it does not come back by itself");
  });
});

describe("the worker that leads", () => {
  test("U1: tells when classes are due and no reconcile begins or ends, until one does", async () => {
    const world = new SimulatedWorld();
    const queues: { readonly stalledMs: number }[] = [];
    let isHanging = true;
    const leader = world.lead({ observeQueue: (queue) => void queues.push(queue) });
    await world.clock.advance(1_000);
    // The API server accepts every request, but does not answer.
    world.cluster.latency = () => (isHanging ? 3_600_000 : 0);
    for (let index = 0; index < 40; index++) world.apply({ namespace: "team", name: `class-${index}`, objects: ["db"] });

    await world.clock.advance(20 * MINUTE_MS);
    assert.ok((queues[0]?.stalledMs ?? 0) > 15 * MINUTE_MS, `${queues[0]?.stalledMs} ms`);
    isHanging = false;
    await world.clock.advance(60 * MINUTE_MS);
    assert.equal(queues[0]?.stalledMs, 0);
    await leader.stop();
  });
});

describe("live copies", () => {
  for (const [what, bound] of [
    ["has stopped by a bug", 0],
    ["has neither shown nor tried anything", 15 * MINUTE_MS],
  ] as const) {
    test(`U1: say when one ${what}, and not before`, async (t) => {
      let isBroken = false;
      const server = await startStubApiServer(({ url }, response) => {
        if (url.searchParams.get("watch") === "true") response.writeHead(200).flushHeaders();
        else sendJson(response, isBroken ? 500 : 200, { kind: "PodList", metadata: { resourceVersion: "1" }, items: [] });
      });
      const config = loadKubeConfig({ kubeconfig: server.kubeconfig });
      const stop = new AbortController();
      t.after(async () => {
        stop.abort();
        await config.close();
        await server.stop();
      });
      const logger = recordingLogger();
      // A bug of the worker, such as a logger that throws, or a timer that never fires.
      const broken = { ...logger, warn: () => assert.fail("a bug"), child: () => broken };
      const clock = new SteppedClock();
      const stuck = { now: () => clock.now(), sleep: () => new Promise<void>(() => undefined) };
      const watcher = createKubeWatcher(config, { userAgent: "test", clock: bound === 0 ? clock : stuck, logger: broken, random: () => 0 });
      const said: unknown = Reflect.get(watcher, "stuck");
      const stuckNow = (): unknown => (typeof said === "function" ? said.call(watcher) : "the watcher cannot say");
      const copy = watcher.reflect({ resource: RESOURCES.pods, project: () => 1 }, stop.signal);
      await copy.synced(stop.signal);
      assert.equal(stuckNow(), undefined);

      isBroken = true;
      if (bound === 0) copy.relist();
      else clock.step(bound);

      const text = await eventually(() => stuckNow(), { within: 5_000 }).catch(() => undefined);
      assert.match(String(text), /^the watch of pods has /);
    });
  }
});
