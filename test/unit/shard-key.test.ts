import assert from "node:assert/strict";
import { test } from "node:test";
import { RESOURCES, type Secret } from "../../src/domain/kubernetes.ts";
import { awaitHmacKey, HMAC_KEY_SECRET, loadHmacKey } from "../../src/sync/hmac-key.ts";
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

// Two that begin at once would each apply a key of its own, by the same manager, which conflicts with nobody: the first would go on with its own.
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
