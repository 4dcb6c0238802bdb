import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type KubeObject, RESOURCES } from "../../src/domain/kubernetes.ts";
import { createKubeClient } from "../../src/kube/client.ts";
import type { PooledKubeConfig } from "../../src/kube/config.ts";
import { loadKubeConfig } from "../../src/kube/load-config.ts";
import { createKubeWatcher } from "../../src/kube/reflector.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { type StubApiServer, sendJson, startStubApiServer } from "../support/processes/stub-api-server.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

const MIB = 1024 * 1024;

interface Page {
  readonly from: number;
  readonly to: number;
  readonly bytes: number;
}

/** Sizes of the existing Secrets, in the order of the list. */
let sizes: readonly number[] = [];
let pages: Page[] = [];

const secret = (index: number, bytes: number): KubeObject & { readonly data: object } => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name: `s${index}`, namespace: "tenant", uid: `uid-${index}`, resourceVersion: "1" },
  data: { x: "x".repeat(bytes) },
});

/** Pages that the client read to the end. If the next request starts at the same position, the client stopped in the middle of the page. */
const readPages = (): readonly Page[] => pages.filter(({ from }, index) => pages[index + 1]?.from !== from);

describe("a list of what anybody may write", () => {
  let server: StubApiServer;
  let config: PooledKubeConfig;
  before(async () => {
    server = await startStubApiServer(({ url }, response) => {
      if (url.searchParams.get("watch") === "true") {
        response.writeHead(200, { "content-type": "application/json" }).flushHeaders();
        return;
      }
      const from = Number(url.searchParams.get("continue") ?? "0");
      const to = Math.min(sizes.length, from + Number(url.searchParams.get("limit") ?? sizes.length));
      const items = sizes.slice(from, to).map((bytes, index) => secret(from + index, bytes));
      pages.push({ from, to, bytes: JSON.stringify(items).length });
      const metadata = { resourceVersion: "1", ...(to < sizes.length ? { continue: String(to) } : {}) };
      sendJson(response, 200, { kind: "SecretList", apiVersion: "v1", metadata, items });
    });
    config = loadKubeConfig({ kubeconfig: server.kubeconfig });
  });
  after(async () => {
    await config.close();
    await server.stop();
  });

  /** Lists the Secrets with a live copy and with the client. Returns the number of names that each of them got. */
  async function listed(given: readonly number[]): Promise<{ readonly copied: number; readonly byList: number }> {
    sizes = given;
    pages = [];
    const stop = new AbortController();
    const options = { userAgent: "test", clock: systemClock, logger: recordingLogger(), random: Math.random };
    const watcher = createKubeWatcher(config, options);
    const copy = watcher.reflect<string>({ resource: RESOURCES.secrets, project: ({ metadata }) => metadata.name }, stop.signal);
    await copy.synced(AbortSignal.timeout(60_000));
    stop.abort();
    const all = await createKubeClient(config, options).list(RESOURCES.secrets, {}, AbortSignal.timeout(60_000));
    return { copied: new Set(copy.list()).size, byList: new Set(all.map(({ metadata }) => metadata.name)).size };
  }

  const cases: Readonly<Record<string, readonly number[]>> = {
    "all are large": Array<number>(30).fill(MIB),
    "the large ones come after small ones, which made the pages long": [...Array<number>(1_000).fill(100), ...Array<number>(20).fill(MIB)],
    "some are large among small ones": Array.from({ length: 600 }, (_, index) => (index % 50 === 49 ? MIB : 1_000)),
  };
  for (const [what, given] of Object.entries(cases)) {
    test(`A-3: holds no more than 4 MiB of a page at once where ${what}`, async () => {
      const { copied, byList } = await listed(given);
      const largest = Math.max(...readPages().map(({ bytes }) => bytes));

      assert.deepEqual([copied, byList], [given.length, given.length]);
      assert.ok(largest <= 4 * MIB, `a page of ${largest} bytes`);
    });
  }

  test("A-3: reads an object alone, whatever it has", async () => {
    assert.deepEqual(await listed([100, 6 * MIB, 100]), { copied: 3, byList: 3 });
  });

  test("A-3: takes no more pages than before for ten thousand small ones, but the first two", async () => {
    await listed(Array<number>(10_000).fill(1_500));

    assert.ok(pages.length <= 2 * 22, `${pages.length} pages for two lists`);
  });
});
