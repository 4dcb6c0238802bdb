import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Standing, standingOf } from "../../src/domain/rollout/standing.ts";
import { NEW, OLD, stamped, workload } from "../support/worker/observed-workload.ts";

const KNOWN = { kind: "known", objects: ["secret/a@2"], since: 7, rotated: 0, secrets: ["app"] } as const;
const HEALTHY = {
  observedGeneration: "2",
  phase: "Healthy",
  replicas: 1,
  updatedReplicas: 1,
  availableReplicas: 1,
  currentPodHash: "a",
  stableRS: "a",
};

const facts = (status: object, spec: object = {}) => ({ kind: "Rollout", status, spec }) as const;

function standing(of: ReturnType<typeof workload>, stalledMs = 0): Standing {
  return standingOf({ workload: of, versions: KNOWN, stamp: NEW, stalledMs, timeoutMs: 60_000 });
}

describe("a Rollout of Argo Rollouts", () => {
  const rows: readonly (readonly [string, object, boolean])[] = [
    ["is complete when its controller says so", HEALTHY, true],
    ["is not before its controller has seen the template", { ...HEALTHY, observedGeneration: "1" }, false],
    ["is not without a controller", {}, false],
    ["is not while a canary goes on", { ...HEALTHY, phase: "Progressing", stableRS: "b" }, false],
    ["is not while it waits for a promotion", { ...HEALTHY, phase: "Paused", pauseConditions: [{ reason: "CanaryPauseStep" }] }, false],
    ["is not while it resumes", { ...HEALTHY, controllerPause: true }, false],
    ["is not once its update was given up", { ...HEALTHY, phase: "Degraded" }, false],
    ["is not by the word of a controller that knows no phases", { ...HEALTHY, phase: undefined }, false],
  ];
  for (const [what, status, expected] of rows) {
    test(what, () => assert.equal(workload(facts(status)).progress.isComplete, expected));
  }

  test("is due where it is healthy, and left alone while somebody else updates it", () => {
    assert.equal(standing(workload(facts(HEALTHY))).kind, "due");
    for (const phase of ["Progressing", "Paused"]) {
      assert.equal(standing(workload(facts({ ...HEALTHY, phase })), 86_400_000).kind, "rolling", phase);
    }
  });

  test("is not restarted into a template that was given up, unless that is our own restart", () => {
    const status = { ...HEALTHY, phase: "Degraded" };
    assert.deepEqual(standing(workload(facts(status))), { kind: "obstructed", reason: "Degraded", stamp: NEW, since: 0 });
    assert.equal(standing(stamped(OLD, facts(status))).kind, "due");
  });

  test("is not restarted while it is paused by its spec", () => {
    const paused = standing(workload(facts(HEALTHY, { paused: true })));
    assert.ok(paused.kind === "obstructed" && paused.reason === "Paused");
  });

  test("takes the time that its own steps take after a restart, and fails when its controller gives it up", () => {
    const waiting = { ...HEALTHY, phase: "Paused", pauseConditions: [{ reason: "CanaryPauseStep" }], updatedReplicas: 0 };
    const restarted = stamped(NEW, facts(waiting));
    assert.equal(standing(restarted, 86_400_000).kind, "restarting");
    assert.match(restarted.progress.summary, /^0 of 1 pods are updated, .*, and its phase is Paused \(CanaryPauseStep\)$/);
    const failed = standing(stamped(NEW, facts({ ...HEALTHY, phase: "Degraded" })));
    assert.ok(failed.kind === "failed");
    assert.match(failed.why, /Argo Rollouts has given up on the update/);
    assert.equal(standing(stamped(NEW, facts(HEALTHY))).kind, "current");
  });

  test("fails after the worker's own time where no controller has seen the restart", () => {
    const unseen = stamped(NEW, facts({ ...HEALTHY, observedGeneration: "1" }));
    assert.equal(standing(unseen, 59_999).kind, "restarting");
    assert.equal(standing(unseen, 60_000).kind, "failed");
  });

  test("repeats nothing of a status that is no word of its controller", () => {
    const status = { ...HEALTHY, phase: "Paused", pauseConditions: [{ reason: "token=abc" }], message: "token=abc" };
    assert.doesNotMatch(JSON.stringify(workload(facts(status)).progress), /token/);
  });
});
