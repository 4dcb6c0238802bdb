import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, test } from "node:test";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import type { Reflector } from "../../src/domain/ports/kube-watcher.ts";
import type { PooledKubeConfig } from "../../src/kube/config.ts";
import { loadKubeConfig } from "../../src/kube/load-config.ts";
import { createKubeWatcher } from "../../src/kube/reflector.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { type StubApiServer, sendJson, startStubApiServer } from "../support/processes/stub-api-server.ts";
import { eventually } from "../support/time/eventually.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

/** Milliseconds of silence after which the client opens the watch again. As short as a test allows. */
const IDLE_MS = 200;

/** A collection whose history ends at one revision. A test can restore it to an earlier one. */
class Collection {
  revision = 1_000;
  names: readonly string[] = ["kept", "lost"];
  lists = 0;
  /**
   * A server with a watch cache sends nothing that is not newer than the requested revision, not even bookmarks. A server without a
   * cache sends what it has.
   */
  hasWatchCache = false;
  readonly #open = new Map<ServerResponse, number>();

  list(response: ServerResponse): void {
    this.lists += 1;
    const items = this.names.map((name) => ({ metadata: { namespace: "team", name, uid: name, resourceVersion: "7" } }));
    sendJson(response, 200, { kind: "PodList", apiVersion: "v1", metadata: { resourceVersion: String(this.revision) }, items });
  }

  watch(response: ServerResponse, from: number): void {
    response.writeHead(200, { "content-type": "application/json" }).flushHeaders();
    this.#open.set(response, from);
  }

  get watches(): number {
    return this.#open.size;
  }

  report(type: "BOOKMARK" | "MODIFIED", resourceVersion = this.revision): void {
    const metadata = { namespace: "team", name: "kept", uid: "kept", resourceVersion: String(resourceVersion) };
    for (const [response, from] of this.#open) {
      if (this.hasWatchCache && resourceVersion <= from) continue;
      response.write(`${JSON.stringify({ type, object: { apiVersion: "v1", kind: "Pod", metadata } })}\n`);
    }
  }

  /** Restores the backup of an earlier revision, and closes all watches. */
  restore(): void {
    this.revision = 900;
    this.names = ["kept", "restored"];
    for (const response of this.#open.keys()) response.destroy();
    this.#open.clear();
  }
}

describe("a live copy of a cluster whose store was restored from a backup", () => {
  let collection: Collection;
  let server: StubApiServer;
  let config: PooledKubeConfig;
  let reflector: Reflector<string>;
  let stop: AbortController;

  beforeEach(async () => {
    collection = new Collection();
    stop = new AbortController();
    server = await startStubApiServer(({ url }, response) => {
      if (url.searchParams.get("watch") !== "true") collection.list(response);
      else collection.watch(response, Number(url.searchParams.get("resourceVersion")));
    });
    config = loadKubeConfig({ kubeconfig: server.kubeconfig });
    const options = { userAgent: "test", clock: systemClock, logger: recordingLogger(), random: () => 0, idleMs: IDLE_MS };
    const watcher = createKubeWatcher(config, options);
    reflector = watcher.reflect({ resource: RESOURCES.pods, project: ({ metadata }) => metadata.resourceVersion ?? "" }, stop.signal);
    await eventually(() => collection.watches === 1, { what: "the watch" });
  });
  afterEach(async () => {
    stop.abort();
    await config.close();
    await server.stop();
  });

  /** Whether the copy reaches the restored state while `report` makes the server send messages now and then. */
  async function followsRestored(report: () => void): Promise<boolean> {
    collection.restore();
    const isCurrent = (): boolean => {
      report();
      return (
        reflector.get({ namespace: "team", name: "restored" }) !== undefined &&
        reflector.get({ namespace: "team", name: "lost" }) === undefined
      );
    };
    return eventually(isCurrent, { within: 4_000, what: "the restored collection" }).catch(() => false);
  }

  test("C13: is listed anew where a bookmark's version falls", async () => {
    assert.equal(await followsRestored(() => collection.report("BOOKMARK")), true, "the copy is still that of before");
  });

  test("C13: is listed anew where an event's version falls", async () => {
    assert.equal(await followsRestored(() => collection.report("MODIFIED")), true, "the copy is still that of before");
  });

  test("C13: is listed anew where a watch brings nothing at all, since the server waits for a revision that is far ahead", async () => {
    collection.hasWatchCache = true;

    assert.equal(await followsRestored(() => collection.report("BOOKMARK")), true, "the copy is still that of before");
  });

  test("is not listed anew for bookmarks of the same version, or for a break", async () => {
    let reported = 0;
    const isToldOften = (): boolean => {
      collection.report("BOOKMARK");
      return ++reported > 10;
    };
    await eventually(isToldOften, { every: IDLE_MS / 4, what: "bookmarks for longer than a silence" });
    collection.revision = 1_001;
    collection.report("MODIFIED");
    await eventually(() => reflector.get({ namespace: "team", name: "kept" }) === "1001", { what: "the event" });

    assert.equal(collection.lists, 1);
  });
});
