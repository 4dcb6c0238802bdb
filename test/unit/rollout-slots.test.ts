import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { Restarts } from "../support/simulation/restarts.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const FORGED = "0000000000000000";
const FOREVER = { progressDeadlineSeconds: 2_147_483_647 };

describe("a slot of the cluster", () => {
  let restarts: Restarts;
  afterEach(() => restarts.stop());

  async function withTeams(mostInCluster: number, deploy: () => void, mostAtATime = 1): Promise<void> {
    restarts = new Restarts({ mostInCluster, mostAtATime });
    await restarts.pass(Date.UTC(2026, 10, 30, 22, 20) - restarts.world.clock.now());
    for (const namespace of ["evil", "team"]) restarts.team(namespace);
    restarts.deploy("team", "web");
    deploy();
    await restarts.lead();
  }

  for (const status of ["complete", "incomplete"] as const) {
    test(`A18-1: is not taken by annotations of a tenant, whose workloads are paused and ${status}`, async () => {
      await withTeams(3, () => undefined);
      await restarts.pass(HOUR);
      for (const name of ["w0", "w1", "w2"]) {
        restarts.deploy("evil", name, { own: { "restart-paused": "true" }, template: { rotated: FORGED }, replicas: 0 });
        if (status === "incomplete") restarts.report("evil", name, { replicas: 1, updatedReplicas: 0, availableReplicas: 0 });
      }
      await restarts.rotate("evil", "team");
      assert.ok(restarts.stamp("team", "web"));
      assert.equal(restarts.stamp("evil", "w0"), FORGED, "paused");
    });
  }

  test("A18-1: is lost to annotations for as long as a restart may stand still, and one per namespace, after a change of the leader", async () => {
    await withTeams(2, () => {
      for (const name of ["w0", "w1", "w2"]) {
        restarts.deploy("evil", name, { own: { "restart-paused": "true" }, template: { rotated: FORGED } });
        restarts.report("evil", name, { replicas: 1, updatedReplicas: 0, availableReplicas: 0 });
      }
      restarts.team("other");
      restarts.deploy("other", "web");
    });
    await restarts.rotate("evil", "other");
    assert.ok(restarts.stamp("other", "web"), "the second slot");
    restarts.report("other", "web", { replicas: 1, updatedReplicas: 0, availableReplicas: 0 });
    await restarts.rotate("team");
    assert.equal(restarts.stamp("team", "web"), undefined, "both slots are taken");
    await restarts.pass(11 * MINUTE);
    assert.ok(restarts.stamp("team", "web"));
  });

  test("A18-1: ends with the worker's own time, however long the workload allows itself", async () => {
    await withTeams(1, () => restarts.deploy("evil", "slow", { replicas: 10, spec: FOREVER }));
    await restarts.rotate("evil");
    assert.ok(restarts.stamp("evil", "slow"));
    restarts.report("evil", "slow", { replicas: 10, updatedReplicas: 1, availableReplicas: 9 });
    await restarts.rotate("team");
    await restarts.pass(9 * MINUTE);
    assert.equal(restarts.stamp("team", "web"), undefined, "it may still come further");
    assert.match(restarts.rotated("team"), /--max-rollouts/);
    await restarts.pass(2 * MINUTE);
    assert.ok(restarts.stamp("team", "web"));
    assert.match(restarts.rotated("evil"), /^False Restarting/, "its own namespace still waits for it");
  });

  test("A18-1: ends although its owner lets the restart come a step further again and again", async () => {
    await withTeams(1, () => restarts.deploy("evil", "slow", { replicas: 10, spec: FOREVER }));
    await restarts.rotate("evil", "team");
    for (let step = 1; step <= 13; step += 1) {
      assert.equal(restarts.stamp("team", "web") === undefined, step < 13, `step ${step}`);
      restarts.report("evil", "slow", { replicas: 10 + step, updatedReplicas: step, availableReplicas: 9 });
      await restarts.pass(5 * MINUTE);
    }
  });

  test("A18-1: is claimed by a workload that only looks as if its restart was unfinished", async () => {
    await withTeams(1, () => undefined);
    await restarts.pass(HOUR);
    restarts.deploy("evil", "forged", { template: { rotated: FORGED }, own: { rotated: FORGED } });
    await restarts.rotate("team");
    restarts.report("team", "web", { replicas: 1, updatedReplicas: 0, availableReplicas: 0 });
    await restarts.rotate("evil");
    assert.equal(restarts.stamp("evil", "forged"), FORGED, "it waits for the slot");
    restarts.complete("team", "web");
    await restarts.pass(MINUTE);
    assert.notEqual(restarts.stamp("evil", "forged"), FORGED);
  });

  test("is kept through a change of the leader while pods are replaced", async () => {
    await withTeams(1, () => restarts.deploy("evil", "slow", { replicas: 10 }));
    await restarts.rotate("evil");
    restarts.report("evil", "slow", { replicas: 10, updatedReplicas: 1, availableReplicas: 9 });
    await restarts.changeLeader();
    await restarts.rotate("team");
    await restarts.pass(MINUTE);
    assert.equal(restarts.stamp("team", "web"), undefined);
    restarts.complete("evil", "slow", 10);
    await restarts.pass(MINUTE);
    assert.ok(restarts.stamp("team", "web"));
  });

  for (const [how, own] of [
    ["a pause", {}],
    ["its window, which has closed", { "restart-window": "0 22 * * * for 1h" }],
  ] as const) {
    test(`R18-6: is free again when all pods of a restart are available, also where ${how} holds the next one of its workload`, async () => {
      await withTeams(1, () => {
        restarts.deploy("evil", "slow", { replicas: 10, own });
        restarts.deploy("evil", "web");
      });
      await restarts.rotate("evil");
      assert.ok(restarts.stamp("evil", "slow"), "the first by name");
      for (let updated = 1; updated < 8; updated += 1) {
        restarts.report("evil", "slow", { replicas: 10, updatedReplicas: updated, availableReplicas: 9 });
        await restarts.pass(5 * MINUTE);
      }
      if (how === "a pause") restarts.annotate("evil", "slow", { "restart-paused": "true" });
      await restarts.rotate("evil");
      await restarts.rotate("team");
      assert.equal(restarts.stamp("evil", "web"), undefined, "three pods of slow are not replaced yet");
      assert.equal(restarts.stamp("team", "web"), undefined);

      restarts.complete("evil", "slow", 10);
      for (const namespace of ["team", "evil", "team"]) {
        await restarts.pass(MINUTE);
        restarts.complete(namespace, "web");
      }
      assert.ok(restarts.stamp("evil", "web"));
      assert.ok(restarts.stamp("team", "web"));
    });
  }
});
