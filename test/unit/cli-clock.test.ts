import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { openCluster } from "../../src/cli/compose.ts";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import { monotonicClock } from "../../src/domain/ports/clock.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { sendJson, startStubApiServer } from "../support/processes/stub-api-server.ts";

const HOUR_MS = 3_600_000;

/** Sets the machine's clock back for the whole process. */
function setBack(t: TestContext): void {
  const real = Date.now;
  t.mock.method(Date, "now", () => real() - HOUR_MS);
}

describe("the command line on a machine whose clock is set back by an hour", () => {
  test("R20-8: counts what it waits by a clock that goes on", (t) => {
    const clock = monotonicClock(systemClock);
    const before = clock.now();
    setBack(t);

    assert.ok(clock.now() >= before);
  });

  test("R20-8: dates the answers of the API server by a clock that goes on", async (t) => {
    const server = await startStubApiServer(({ url }, response) => {
      if (url.searchParams.get("watch") === "true") {
        response.writeHead(200, { "content-type": "application/json" }).flushHeaders();
        return;
      }
      sendJson(response, 200, { kind: "PodList", apiVersion: "v1", metadata: { resourceVersion: "1" }, items: [] });
    });
    const cluster = await openCluster({ kubeconfig: server.kubeconfig, context: undefined }, "test");
    const stop = new AbortController();
    t.after(async () => {
      stop.abort();
      await cluster.close();
      await server.stop();
    });
    const watcher = await cluster.watcher();
    const pods = watcher.reflect({ resource: RESOURCES.pods, project: ({ metadata }) => metadata.name }, stop.signal);
    await pods.synced(stop.signal);
    const { lastActivity } = pods;
    setBack(t);

    pods.relist();
    await pods.synced(stop.signal);

    assert.ok(pods.lastActivity >= lastActivity, `${lastActivity - pods.lastActivity} ms earlier`);
  });
});
