/** What becomes of a write that the API server refuses. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { KubeError, type Refuser } from "../../src/domain/ports/kube-error.ts";
import { attempt } from "../../src/sync/rollouts/own-requests.ts";
import { RolloutMemory } from "../../src/sync/rollouts/rollout-memory.ts";
import { ManualClock } from "../support/time/manual-clock.ts";
import { workload } from "../support/worker/observed-workload.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

const OURS: Refuser = { kind: "policy", name: "keyvault-injector-sync-workloads" };
const POLICY = readFileSync(path.resolve(import.meta.dirname, "../../manifests/policies/sync-workloads.yaml"), "utf8");
const [, PAUSED = ""] = /message: "(.*restarts are paused.*)"/.exec(POLICY) ?? [];

function refused(message: string, refuser: Refuser): () => Promise<void> {
  return () => Promise.reject(new KubeError("Forbidden", message, { retry: { kind: "never" }, status: 403, refuser }));
}

/** The words of the refusal; undefined where there was none. */
async function refusalOf(write: () => Promise<void>): Promise<string | undefined> {
  const ports = { memory: new RolloutMemory(), clock: new ManualClock(), logger: recordingLogger() };
  const written = await attempt(ports, { workload: workload(), request: "restart" }, write);
  if (written.ok) return undefined;
  assert.equal(written.error.refusedAt, "1");
  return written.error.why;
}

describe("a restart that the API server refuses", () => {
  test("A18-17: has not failed where the API server sees a pause that the worker does not: it is tried again at once", async () => {
    assert.notEqual(PAUSED, "");
    await assert.rejects(refusalOf(refused(`denied: ${PAUSED}`, OURS)), ({ code }: KubeError) => code === "Conflict");
  });

  test("is refused by whoever else says so, in whatever words", async () => {
    assert.equal(await refusalOf(refused(PAUSED, { kind: "policy", name: "somebodys" })), PAUSED);
    assert.equal(await refusalOf(refused("restarts only workloads that ask for it", OURS)), "restarts only workloads that ask for it");
  });
});
