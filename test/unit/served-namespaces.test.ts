/** Live copies of several namespaces, each of which is listed and watched for itself. */
import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { SECRET_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { type KubeObject, RESOURCES } from "../../src/domain/kubernetes.ts";
import type { KubeWatcher } from "../../src/domain/ports/kube-watcher.ts";
import type { PooledKubeConfig } from "../../src/kube/config.ts";
import { loadKubeConfig } from "../../src/kube/load-config.ts";
import { createKubeWatcher } from "../../src/kube/reflector.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { startHeldClasses } from "../../src/sync/classes/held-classes.ts";
import { startStatusStore } from "../../src/sync/classes/status-store.ts";
import { createFingerprints } from "../../src/sync/fingerprints.ts";
import { startSecretStore } from "../../src/sync/secrets/secret-store.ts";
import { inNamespaces } from "../../src/sync/served-namespaces.ts";
import { type StubApiServer, sendJson, startStubApiServer } from "../support/processes/stub-api-server.ts";
import { eventually } from "../support/time/eventually.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

/** Half a megabyte: a namespace has room for 33 of them, or less where little is left. */
const LARGE = "x".repeat(500_000);
const COUNT = 40;
const PAGE = 5;

interface Kind {
  /** What an object has beside its name. */
  readonly large: object;
  /** Whether each of the namespace `b` is held whole. */
  readonly start: (watcher: KubeWatcher, signal: AbortSignal) => () => readonly boolean[];
}

let checked: string[];

const KINDS: Readonly<Record<string, Kind>> = {
  classes: {
    large: { spec: { provider: "azure", parameters: { note: LARGE } } },
    start: (watcher, signal) => {
      const kube = { read: () => assert.fail("nothing is admitted") };
      const held = startHeldClasses({ watcher, kube, onChange: () => undefined, requeue: (key) => void checked.push(key) }, signal);
      return () => held.list().flatMap(({ metadata, excess }) => (metadata.namespace === "b" ? [excess === undefined] : []));
    },
  },
  statuses: {
    large: { status: { conditions: [{ type: "Synced", status: "True", message: LARGE }], secrets: [] } },
    start: (watcher, signal) => {
      const crdHealth = { state: { kind: "whole" } } as Parameters<typeof startStatusStore>[0]["crdHealth"]; // Nothing is written.
      const kube = {} as Parameters<typeof startStatusStore>[0]["kube"]; // As above.
      const onLost = (key: string): void => void checked.push(key);
      const store = startStatusStore({ kube, watcher, logger: recordingLogger(), crdHealth, isOfClass: () => true, onLost }, signal);
      return () => store.list().flatMap(({ key, excess }) => (key.startsWith("b/") ? [excess === undefined] : []));
    },
  },
  Secrets: {
    large: { metadata: { annotations: { [SECRET_ANNOTATIONS.class]: "app", [SECRET_ANNOTATIONS.objects]: LARGE } } },
    start: (watcher, signal) => {
      const fingerprints = createFingerprints(Buffer.alloc(32, 1));
      const store = startSecretStore(
        { watcher, fingerprints, logger: recordingLogger(), onChange: (key) => void checked.push(key) },
        signal,
      );
      return () => store.list().flatMap(({ ref, isPartial }) => (ref.namespace === "b" ? [isPartial !== true] : []));
    },
  },
};

function objectOf({ large }: Kind, namespace: string, name: string): KubeObject {
  const { metadata = {}, ...more } = large as Partial<KubeObject>;
  return { apiVersion: "v1", kind: "Any", ...more, metadata: { ...metadata, namespace, name, uid: name, resourceVersion: "1" } };
}

describe("what is held of the objects of one namespace while another is listed", () => {
  let server: StubApiServer;
  let config: PooledKubeConfig;
  let kind: Kind;
  let stop: AbortController;
  /** So many of `b` are given before the list of `a` is taken over, and the others after it. */
  let givenBefore: number;
  let pagesGiven: PromiseWithResolvers<void>;
  let watches: Map<string, ServerResponse>;

  const answer = async (url: URL, response: ServerResponse): Promise<void> => {
    const [, namespace = ""] = /\/namespaces\/([^/]+)\//.exec(url.pathname) ?? [];
    if (url.searchParams.get("watch") === "true") {
      response.writeHead(200, { "content-type": "application/json" }).flushHeaders();
      watches.set(namespace, response);
      return;
    }
    const from = Number(url.searchParams.get("continue") ?? 0);
    if (namespace === "a") await pagesGiven.promise;
    else if (from > 0 && from === givenBefore) {
      pagesGiven.resolve();
      await eventually(() => watches.has("a"));
    }
    const names = Array.from({ length: namespace === "a" ? 1 : COUNT }, (_, index) => `s${index}`);
    const items = names.slice(from, from + PAGE).map((name) => objectOf(kind, namespace, name));
    const metadata = { resourceVersion: "1", ...(from + PAGE < names.length ? { continue: `${from + PAGE}` } : {}) };
    sendJson(response, 200, { kind: "List", apiVersion: "v1", metadata, items });
  };

  before(async () => {
    server = await startStubApiServer(({ url }, response) => {
      answer(url, response).catch(() => response.destroy());
    });
    config = loadKubeConfig({ kubeconfig: server.kubeconfig });
  });
  after(async () => {
    await config.close();
    await server.stop();
  });
  beforeEach(() => {
    checked = [];
    stop = new AbortController();
  });
  afterEach(() => stop.abort());

  const watcher = (): KubeWatcher =>
    createKubeWatcher(config, { userAgent: "test", clock: systemClock, logger: recordingLogger(), random: () => 0, pageSize: PAGE });

  /** Whether each of `b` is held whole once all are listed. */
  async function listed(namespaces: readonly string[], before = 0): Promise<readonly boolean[]> {
    [pagesGiven, watches, givenBefore] = [Promise.withResolvers(), new Map(), before];
    const held = kind.start(inNamespaces(watcher(), namespaces), stop.signal);
    await eventually(() => watches.size === namespaces.length);
    return held();
  }

  for (const [name, given] of Object.entries(KINDS))
    test(`RC-2: of ${name} is bounded as it is without the other`, async () => {
      kind = given;
      const alone = await listed(["b"]);
      assert.equal(alone.length, COUNT);
      assert.ok(alone.includes(false), "there is not room for all");

      const held = await listed(["a", "b"], COUNT / 2);

      assert.deepEqual(held.filter(Boolean).length, alone.filter(Boolean).length);
    });

  for (const name of ["classes", "statuses"])
    test(`RC-2: of ${name} that wait for room, those are told of it that came while the other was not listed`, async () => {
      kind = KINDS[name] ?? assert.fail();
      assert.ok((await listed(["a", "b"], COUNT - PAGE)).includes(false));
      checked = [];

      const object = { ...objectOf(kind, "b", "s0"), metadata: { namespace: "b", name: "s0", uid: "s0", resourceVersion: "2" } };
      watches.get("b")?.write(`${JSON.stringify({ type: "DELETED", object })}\n`);

      await eventually(() => checked.includes("b/s0"));
      assert.ok(
        checked.some((key) => key !== "b/s0"),
        checked.join(),
      );
    });

  test("RC-2: a list is told with the namespace that it is of", async () => {
    kind = KINDS.Secrets ?? assert.fail();
    const reported: (string | undefined)[] = [];
    const options = { resource: RESOURCES.secrets, project: () => true, observer: { listed: (of?: string) => void reported.push(of) } };
    for (const [namespaces, expected] of [
      [
        ["a", "b"],
        ["a", "b"],
      ],
      [[], [undefined]],
    ] as const) {
      reported.length = 0;
      [pagesGiven, watches, givenBefore] = [Promise.withResolvers(), new Map(), namespaces.length === 0 ? 0 : PAGE];
      const copy = inNamespaces(watcher(), namespaces).reflect(options, stop.signal);
      await copy.synced(AbortSignal.timeout(10_000));
      assert.deepEqual(reported, expected);
    }
  });
});
