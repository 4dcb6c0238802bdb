import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Cluster } from "../../src/cli/shared/command.ts";
import { withRepeatedReads } from "../../src/cli/shared/repeated-reads.ts";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import { KubeError } from "../../src/domain/ports/kube-error.ts";

const signal = new AbortController().signal;
const RESET = new KubeError("Unavailable", "no answer from the API server (ECONNRESET)", { retry: { kind: "backoff" } });
const BUSY = new KubeError("Unavailable", "HTTP 503", { retry: { kind: "backoff" }, status: 503 });
const THROTTLED = new KubeError("Throttled", "HTTP 429", { retry: { kind: "after", milliseconds: 20_000 }, status: 429 });

/** One request: its duration in milliseconds, and its failure. */
type Step = readonly [milliseconds: number, failure?: KubeError];

/** Reads until the script is over. Returns for each read its number of requests, and how it ended. */
async function reads(script: readonly Step[]): Promise<readonly string[]> {
  let now = 0;
  let requests = 0;
  const clock = { now: () => now, sleep: async (milliseconds: number) => void (now += milliseconds) };
  const step = async () => {
    const [milliseconds, failure] = script[requests++] ?? [0];
    now += milliseconds;
    if (failure !== undefined) throw failure;
    return [];
  };
  const { kube } = withRepeatedReads({ kube: { list: step } } as unknown as Cluster, clock); // The test only lists.
  const ends: string[] = [];
  while (requests < script.length) {
    const before = requests;
    const end = await kube.list(RESOURCES.secrets, {}, signal).then(
      () => "answered",
      (error: KubeError) => error.message,
    );
    ends.push(`${requests - before}: ${end}`);
  }
  return ends;
}

describe("a failed read of a command", () => {
  test("RA7: is repeated although the list took longer than the limit before it failed", async () => {
    assert.deepEqual(await reads([[100], [17_000, RESET], [10], [10, RESET], [10]]), ["1: answered", "2: answered", "2: answered"]);
  });

  test("RA7: is repeated after an answer of a load balancer, because something answers at the address", async () => {
    assert.deepEqual(await reads([[10, BUSY], [10, RESET], [10]]), ["3: answered"]);
  });

  test("RA7: is repeated after another read was throttled for longer than the limit", async () => {
    assert.deepEqual(await reads([[10], [10, THROTTLED], [10, RESET], [10]]), ["1: answered", "1: HTTP 429", "2: answered"]);
  });

  test("RA7: is not repeated after another that the repetitions did not help, because a command makes many", async () => {
    const busy = Array.from({ length: 7 }, (): Step => [10, BUSY]);
    assert.deepEqual(await reads([[10], ...busy]), ["1: answered", "6: HTTP 503", "1: HTTP 503"]);
  });

  test("RA7: is repeated once without any answer, and the next one is not, because each takes as long", async () => {
    const silent: Step = [15_000, RESET];
    assert.deepEqual(await reads([[10], silent, silent, silent]), ["1: answered", `2: ${RESET.message}`, `1: ${RESET.message}`]);
  });

  test("RA7: is not repeated where nothing ever answered", async () => {
    assert.deepEqual(
      await reads([
        [10, RESET],
        [10, RESET],
      ]),
      [`1: ${RESET.message}`, `1: ${RESET.message}`],
    );
  });
});
