import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { type KubeObject, RESOURCES } from "../../src/domain/kubernetes.ts";
import { Restarts } from "../support/simulation/restarts.ts";

const TEAM = "team";
const MINUTE = 60_000;

let restarts: Restarts;
afterEach(() => restarts.stop());

function pod(name: string): KubeObject {
  const created = new Date(restarts.world.clock.now()).toISOString();
  const metadata = { namespace: TEAM, name, labels: { app: "web" }, creationTimestamp: `${created.slice(0, 19)}Z` };
  return Object.assign({ apiVersion: "v1", kind: "Pod", metadata }, { status: { phase: "Running" } });
}

/** Restarts a workload after one of its three pods has been down for a long time. */
async function restartedUnready(): Promise<void> {
  restarts = new Restarts();
  restarts.team(TEAM);
  restarts.deploy(TEAM, "web", { replicas: 3, spec: { progressDeadlineSeconds: 60 } });
  await restarts.lead();
  await restarts.pass(MINUTE);
  restarts.report(TEAM, "web", { replicas: 3, updatedReplicas: 3, availableReplicas: 2 });
  await restarts.pass(15 * MINUTE);
  await restarts.rotate(TEAM);
  assert.notEqual(restarts.stamp(TEAM, "web"), undefined, "it is restarted");
}

describe("a workload that was not ready before its restart", () => {
  test("N7: has not rotated while pods of before serve on, and halts nobody", async () => {
    await restartedUnready();
    assert.match(restarts.rotated(TEAM), /^False Restarting: .*it was not ready before its restart/);
    const conditions = [{ type: "Progressing", status: "False", reason: "ProgressDeadlineExceeded" }];
    restarts.report(TEAM, "web", { replicas: 4, updatedReplicas: 1, availableReplicas: 2, conditions });
    await restarts.pass(20 * MINUTE);
    assert.match(restarts.rotated(TEAM), /^False Restarting: .*1 of 3 pods are updated/);
    assert.equal(await restarts.metric("rollouts_halted"), 0);
    restarts.world.cluster.delete(RESOURCES.pods, { namespace: TEAM, name: "web-1" });
    restarts.complete(TEAM, "web", 3);
    await restarts.pass(10_000);
    assert.match(restarts.rotated(TEAM), /^True Rotated/);
  });

  test("N7: has rotated while somebody replaces pods that have the versions", async () => {
    await restartedUnready();
    restarts.world.cluster.delete(RESOURCES.pods, { namespace: TEAM, name: "web-1" });
    restarts.world.cluster.put(RESOURCES.pods, pod("web-2"));
    restarts.report(TEAM, "web", { replicas: 4, updatedReplicas: 1, availableReplicas: 3 });
    await restarts.pass(10_000);
    assert.match(restarts.rotated(TEAM), /^True Rotated/);
  });
});
