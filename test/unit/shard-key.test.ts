import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RESOURCES, type Secret } from "../../src/domain/kubernetes.ts";
import { awaitHmacKey, HMAC_KEY_SECRET, keepHmacKey, loadHmacKey, readHmacKey } from "../../src/sync/hmac-key.ts";
import { SimulatedCluster } from "../support/simulation/cluster.ts";
import { ManualClock } from "../support/time/manual-clock.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

test("SH-3: a key that says not since when it signs is one that the first shard still has to complete", async () => {
  const clock = new ManualClock();
  const cluster = new SimulatedCluster(clock);
  const { signal } = new AbortController();
  const options = { kube: cluster.client, namespace: "install", logger: recordingLogger(), clock };
  const data = { "hmac.key": Buffer.alloc(32, 7).toString("base64") };
  cluster.put(RESOURCES.secrets, {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { namespace: "install", name: HMAC_KEY_SECRET },
    data,
  } as Secret);
  let isThere = false;
  const waiting = awaitHmacKey(options, signal).finally(() => {
    isThere = true;
  });
  await clock.advance(5_000);
  assert.equal(isThere, false);
  await loadHmacKey(options, signal);
  await clock.advance(2_000);
  assert.ok(Number.isFinite((await waiting).formerUntil));
});

// Without a common key, two shards that start at once would each apply their own key with the same field manager, which causes no conflict:
// the first shard would keep using its own key.
test("SH-3: shards of a new install go by one key, whichever begins first", async () => {
  for (const firstShardAfter of [0, 500, 5_000]) {
    const clock = new ManualClock();
    const { client: kube } = new SimulatedCluster(clock);
    const { signal } = new AbortController();
    const options = { kube, namespace: "install", logger: recordingLogger(), clock };
    const others = [awaitHmacKey(options, signal), awaitHmacKey(options, signal)];
    await clock.advance(firstShardAfter);
    const first = await loadHmacKey(options, signal);
    await clock.advance(2_000);

    const keys = (await Promise.all(others)).map(({ bytes }) => Buffer.from(bytes).toString("hex"));
    assert.deepEqual(
      keys,
      Array.from({ length: 2 }, () => Buffer.from(first.bytes).toString("hex")),
    );
  }
});

describe("the key of workers that run", () => {
  const begin = async () => {
    const clock = new ManualClock();
    const cluster = new SimulatedCluster(clock);
    const stop = new AbortController();
    const logger = recordingLogger();
    const options = { kube: cluster.client, namespace: "install", logger, clock };
    const key = await loadHmacKey(options, stop.signal);
    const keep = (isFirst: boolean): Promise<string> =>
      keepHmacKey({ ...options, key, isFirst }, stop.signal).then(
        () => "stopped",
        (error: unknown) => (error instanceof Error ? error.name : String(error)),
      );
    return { clock, cluster, stop, logger, options, key, keep };
  };
  const REF = { namespace: "install", name: HMAC_KEY_SECRET };

  test("SK-1: is put back by the first shard where somebody deletes it, and another shard that waits for one goes on", async () => {
    const { clock, cluster, stop, options, key, keep } = await begin();
    const kept = keep(true);
    const others = keep(false);
    cluster.delete(RESOURCES.secrets, REF);
    const next = awaitHmacKey(options, stop.signal);
    await clock.advance(61_000);
    await clock.advance(2_000);

    assert.deepEqual(await next, key);
    stop.abort();
    assert.deepEqual(await Promise.all([kept, others]), ["stopped", "stopped"]);
  });

  test("SK-1: is put back where it was damaged, and left alone by another shard and where it is whole", async () => {
    const { clock, cluster, stop, logger, options, key, keep } = await begin();
    const damaged = { apiVersion: "v1", kind: "Secret", metadata: REF, data: { "hmac.key": "aGFsZg==" } } as Secret;
    void keep(false);
    cluster.put(RESOURCES.secrets, damaged);
    await clock.advance(120_000);
    assert.equal(await readHmacKey(options, stop.signal), undefined);

    void keep(true);
    await clock.advance(61_000);
    assert.deepEqual(await readHmacKey(options, stop.signal), key);
    await clock.advance(300_000);
    assert.equal(logger.entries.filter(({ message }) => message.includes("has been restored")).length, 1);
    stop.abort();
  });

  test("SK-1: ends a worker where it is another one by now: two that go by different keys do not believe each other", async () => {
    const { clock, cluster, stop, keep } = await begin();
    const all = [keep(true), keep(false)];
    const data = {
      "hmac.key": Buffer.alloc(32, 7).toString("base64"),
      "signed-since": Buffer.from("2026-01-01T00:00:00Z").toString("base64"),
    };
    cluster.put(RESOURCES.secrets, { apiVersion: "v1", kind: "Secret", metadata: REF, data } as Secret);
    await clock.advance(61_000);

    assert.deepEqual(await Promise.all(all), ["KeyReplaced", "KeyReplaced"]);
    stop.abort();
  });
});
