import assert from "node:assert/strict";
import { test } from "node:test";
import { awaitHmacKey, loadHmacKey } from "../../src/sync/hmac-key.ts";
import { SimulatedCluster } from "../support/simulation/cluster.ts";
import { ManualClock } from "../support/time/manual-clock.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

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
