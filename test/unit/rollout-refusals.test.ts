/** The worker's reaction to a write that the API server refuses. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import type { KubeError } from "../../src/domain/ports/kube-error.ts";
import { WORKLOADS } from "../../src/domain/rollout/workload-kinds.ts";
import { refusedBy } from "../../src/kube/errors.ts";
import { attempt } from "../../src/sync/rollouts/own-requests.ts";
import { RolloutMemory } from "../../src/sync/rollouts/rollout-memory.ts";
import { ManualClock } from "../support/time/manual-clock.ts";
import { workload } from "../support/worker/observed-workload.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

const OURS = "keyvault-injector-sync-workloads";
const POLICY = readFileSync(path.resolve(import.meta.dirname, "../../manifests/policies/sync-workloads.yaml"), "utf8");
const [, PAUSED = ""] = /message: "(.*restarts are paused.*)"/.exec(POLICY) ?? [];

/** A write of a workload that the API server refuses in this way. */
function denied(sentence: string, { policy = OURS, workload = "web" } = {}): () => Promise<void> {
  const message = `deployments.apps "${workload}" is forbidden: ValidatingAdmissionPolicy '${policy}' with binding '${policy}' denied request: ${sentence}`;
  const body = JSON.stringify({ kind: "Status", reason: "Forbidden", message, code: 403 });
  const of = { verb: "patch", resource: WORKLOADS.Deployment, ref: { namespace: "shop", name: workload } } as const;
  return () => Promise.reject(refusedBy(of, { status: 403, body }));
}

/** Returns the reason of the refusal. Undefined if the write succeeded. */
async function refusalOf(write: () => Promise<void>): Promise<string | undefined> {
  const ports = { memory: new RolloutMemory(), clock: new ManualClock(), logger: recordingLogger() };
  const written = await attempt(ports, { workload: workload(), request: "restart" }, write);
  if (written.ok) return undefined;
  assert.equal(written.error.refusedAt, "1");
  return written.error.why;
}

describe("a restart that the API server refuses", () => {
  for (const workload of ["web", "w".repeat(78), "w".repeat(253)]) {
    test(`A18-17: has not failed where the API server sees a pause that the worker does not (a name of ${workload.length}): it is tried again at once`, async () => {
      assert.notEqual(PAUSED, "");
      await assert.rejects(refusalOf(denied(PAUSED, { workload })), ({ code }: KubeError) => code === "Conflict");
    });
  }

  test("is refused by whoever else says so, in whatever words", async () => {
    for (const other of [
      denied(PAUSED, { policy: "somebodys" }),
      denied("can restart only workloads that request restarts"),
      denied("the annotation must be true or false where restarts are paused"),
      denied(`not as "${PAUSED}" says`),
      denied(`denied request: ${PAUSED}`),
    ]) {
      assert.match(String(await refusalOf(other)), /^patch deployments\.apps shop\/web: HTTP 403: /);
    }
  });
});
