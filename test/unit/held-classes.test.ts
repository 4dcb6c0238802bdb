import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import type { SecretProviderClass } from "../../src/domain/kubernetes.ts";
import { createKubeClient } from "../../src/kube/client.ts";
import type { PooledKubeConfig } from "../../src/kube/config.ts";
import { loadKubeConfig } from "../../src/kube/load-config.ts";
import { createKubeWatcher } from "../../src/kube/reflector.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { type HeldClasses, startHeldClasses } from "../../src/sync/classes/held-classes.ts";
import { type StubApiServer, sendJson, startStubApiServer } from "../support/processes/stub-api-server.ts";
import { eventually } from "../support/time/eventually.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

/** As many classes of half a megabyte as one namespace has room for. */
const FULL = 33;

function largeClass(name: string, uid = name): SecretProviderClass {
  return {
    apiVersion: "secrets-store.csi.x-k8s.io/v1",
    kind: "SecretProviderClass",
    metadata: { namespace: "team", name, uid, resourceVersion: "1" },
    spec: { provider: "azure", parameters: { note: "x".repeat(500_000) } },
  };
}

const classes = (from: number, to: number): readonly SecretProviderClass[] =>
  Array.from({ length: to - from }, (_, index) => largeClass(`c${from + index}`));

describe("large classes that come and go while nobody watches", () => {
  let server: StubApiServer;
  let config: PooledKubeConfig;
  let stored: readonly SecretProviderClass[] = [];
  /** Lists of which the second page fails. */
  let broken = 0;
  before(async () => {
    server = await startStubApiServer(({ url }, response) => {
      if (url.searchParams.get("watch") === "true") {
        response.writeHead(200, { "content-type": "application/json" }).flushHeaders();
        return;
      }
      const isBroken = broken > 0;
      if (url.searchParams.get("continue") === "more") {
        broken -= 1;
        sendJson(response, 500, { kind: "Status", apiVersion: "v1", code: 500 });
        return;
      }
      const metadata = { resourceVersion: "1", ...(isBroken ? { continue: "more" } : {}) };
      sendJson(response, 200, { kind: "SecretProviderClassList", apiVersion: "v1", metadata, items: stored });
    });
    config = loadKubeConfig({ kubeconfig: server.kubeconfig });
  });
  after(async () => {
    await config.close();
    await server.stop();
  });
  beforeEach(() => {
    checked = [];
  });

  let checked: string[] = [];
  const start = async (signal: AbortSignal): Promise<HeldClasses> => {
    const options = { userAgent: "test", clock: systemClock, logger: recordingLogger(), random: () => 0 };
    const kube = createKubeClient(config, options);
    const watcher = createKubeWatcher(config, options);
    const requeue = (key: string): void => void checked.push(key);
    const held = startHeldClasses({ watcher, kube, onChange: () => undefined, requeue }, signal);
    await listed(held);
    return held;
  };
  const listed = (held: HeldClasses): Promise<unknown> => eventually(() => held.hasSynced);
  const listAgain = async (held: HeldClasses, next: readonly SecretProviderClass[]): Promise<void> => {
    stored = next;
    held.relist();
    await listed(held);
  };
  const waiting = (held: HeldClasses): readonly string[] =>
    held.list().flatMap(({ excess, metadata }) => (excess === undefined ? [] : [metadata.name]));

  test("C-2: have no more room together when all were made anew", async () => {
    const stop = new AbortController();
    stored = classes(0, FULL + 7);
    const held = await start(stop.signal);
    const first = waiting(held);
    assert.equal(first.length, 7);

    await listAgain(
      held,
      stored.map(({ metadata: { name } }) => largeClass(name, `${name} anew`)),
    );

    assert.deepEqual(waiting(held), first);
    stop.abort();
  });

  test("C-2: wait on under another uid, and are reconciled as soon as others are gone", async () => {
    const stop = new AbortController();
    stored = [...classes(0, FULL), largeClass("waits")];
    const held = await start(stop.signal);
    await listAgain(held, [...classes(0, FULL), largeClass("waits", "anew")]);
    assert.deepEqual(waiting(held), ["waits"]);
    checked = [];

    await listAgain(held, [...classes(1, FULL), largeClass("waits", "anew")]);

    assert.ok(checked.includes("team/waits"));
    stop.abort();
  });

  test("C-2: keep no room when a list that broke off was all that showed them", async () => {
    const stop = new AbortController();
    stored = classes(0, 1);
    const held = await start(stop.signal);
    broken = 1;
    stored = [...classes(0, 1), ...classes(100, 120)];
    held.relist();
    await eventually(() => broken === 0);
    stored = classes(0, 1);
    await listed(held);

    await listAgain(held, classes(0, FULL));

    assert.deepEqual(waiting(held), []);
    stop.abort();
  });
});
