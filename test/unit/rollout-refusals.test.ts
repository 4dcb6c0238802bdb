/** What becomes of a write that the API server refuses. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { KubeError, type Refuser } from "../../src/domain/ports/kube-error.ts";
import { refusalOf } from "../../src/sync/rollouts/rollout-write.ts";

const OURS: Refuser = { kind: "policy", name: "keyvault-injector-sync-workloads" };
const POLICY = readFileSync(path.resolve(import.meta.dirname, "../../manifests/policies/sync-workloads.yaml"), "utf8");
const [, PAUSED = ""] = /message: "(.*restarts are paused.*)"/.exec(POLICY) ?? [];

function refused(message: string, refuser: Refuser): () => Promise<void> {
  return () => Promise.reject(new KubeError("Forbidden", message, { retry: { kind: "never" }, status: 403, refuser }));
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
