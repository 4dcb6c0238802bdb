/** How long a failed restart keeps the other restarts of its namespace from beginning. */
import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { POD_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { type KubeObject, RESOURCES } from "../../src/domain/kubernetes.ts";
import { Restarts } from "../support/simulation/restarts.ts";

const MINUTE = 60_000;
const TEAM = "team";
const NAMES = ["a", "b", "c", "d", "e"];

let restarts: Restarts;
afterEach(() => restarts.stop());

function restarted(): readonly string[] {
  return NAMES.filter((name) => restarts.stamp(TEAM, name) !== undefined);
}

/** A namespace with three slots, after a rotation. The restarts of a, b and c have begun. */
async function withThreeUnderWay(replicas = 1): Promise<void> {
  restarts = new Restarts({ mostAtATime: 3 });
  restarts.team(TEAM);
  for (const name of NAMES) restarts.deploy(TEAM, name, { replicas: name === "a" ? replicas : 1 });
  await restarts.lead();
  await restarts.rotate(TEAM);
  assert.deepEqual(restarted(), ["a", "b", "c"]);
  for (const name of ["a", "b", "c"]) restarts.report(TEAM, name, { replicas: 1, updatedReplicas: 1, availableReplicas: 0 });
}

/** Replaces the pod of the workload by one of its template, which became ready just now, or is not ready. */
function setPod(name: string, isReady: boolean, restartCount: number): void {
  const { cluster, clock } = restarts.world;
  const ready = { type: "Ready", status: isReady ? "True" : "False", lastTransitionTime: new Date(clock.now()).toISOString() };
  const annotations = { [POD_ANNOTATIONS.rotated]: restarts.stamp(TEAM, name) ?? "" };
  cluster.put(RESOURCES.pods, {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { namespace: TEAM, name: `${name}-1`, labels: { app: name }, annotations },
    status: { phase: "Running", conditions: [ready], containerStatuses: [{ restartCount }] },
  } as KubeObject);
}

async function completeOthers(): Promise<void> {
  for (const name of ["b", "c"]) restarts.complete(TEAM, name);
  await restarts.pass(MINUTE);
}

describe("RA3: a restart of an earlier leader", () => {
  test("stays failed through changes of the leader", async () => {
    await withThreeUnderWay();
    await restarts.pass(12 * MINUTE);
    await completeOthers();
    for (let change = 1; change <= 3; change += 1) {
      await restarts.changeLeader();
      for (let minute = 1; minute <= 12; minute += 1) {
        assert.match(restarts.rotated(TEAM), /^False RolloutFailed: Deployment a: /, `change ${change}, minute ${minute}`);
        assert.equal(await restarts.metric("rollouts_halted"), 1);
        await restarts.pass(MINUTE);
      }
      assert.deepEqual(restarted(), ["a", "b", "c"], `change ${change}`);
    }
    restarts.complete(TEAM, "a");
    await restarts.pass(MINUTE);
    assert.deepEqual(restarted(), NAMES);
  });

  test("is no longer failed once it makes progress", async () => {
    await withThreeUnderWay(3);
    await restarts.pass(12 * MINUTE);
    await completeOthers();
    await restarts.changeLeader();
    restarts.report(TEAM, "a", { replicas: 3, updatedReplicas: 2, availableReplicas: 1 });
    await restarts.pass(MINUTE);
    assert.match(restarts.rotated(TEAM), /^False Restarting: being restarted: .*Deployment a/);
    assert.deepEqual(restarted(), NAMES, "a takes one slot");
  });

  test("halts its namespace until it makes progress, however often the leader changes before it has failed", async () => {
    await withThreeUnderWay();
    for (let change = 1; change <= 5; change += 1) {
      await restarts.changeLeader();
      if (change === 1) await completeOthers();
      await restarts.pass(7 * MINUTE);
      assert.deepEqual(restarted(), ["a", "b", "c"], `change ${change}`);
    }
    await restarts.pass(6 * MINUTE);
    assert.match(restarts.rotated(TEAM), /^False RolloutFailed: Deployment a: /);
  });

  for (const [what, isUp] of [
    ["up", true],
    ["down", false],
  ] as const) {
    test(`stays failed through a change of the leader while its pods, without a readiness probe, crash again and again, and are ${what}`, async () => {
      await withThreeUnderWay();
      let crashes = 3;
      const turn = (isAvailable: boolean): void => {
        if (!isAvailable) crashes += 1;
        setPod("a", isAvailable, crashes);
        restarts.report(TEAM, "a", { replicas: 1, updatedReplicas: 1, availableReplicas: isAvailable ? 1 : 0 });
      };
      for (let minute = 0; minute < 16; minute += 1) {
        turn(minute % 2 === 0);
        if (minute === 14) await completeOthers();
        else await restarts.pass(MINUTE);
      }
      assert.match(restarts.rotated(TEAM), /^False RolloutFailed: Deployment a: /);
      assert.deepEqual(restarted(), ["a", "b", "c"]);
      turn(isUp);
      await restarts.changeLeader();
      for (let minute = 1; minute <= 12; minute += 1) {
        turn(isUp === (minute % 2 === 0));
        await restarts.pass(MINUTE);
        assert.match(restarts.rotated(TEAM), /^False RolloutFailed: Deployment a: /, `minute ${minute}`);
        assert.deepEqual(restarted(), ["a", "b", "c"], `minute ${minute}`);
      }
    });
  }

  test("that has failed is done under the next leader once its pods have stayed ready", async () => {
    await withThreeUnderWay();
    await restarts.pass(12 * MINUTE);
    await completeOthers();
    await restarts.changeLeader();
    setPod("a", true, 0);
    restarts.complete(TEAM, "a");
    await restarts.pass(5_000);
    assert.deepEqual(restarted(), ["a", "b", "c"], "after five seconds");
    await restarts.pass(MINUTE);
    assert.deepEqual(restarted(), NAMES);
  });

  test("never fails while it makes progress for hours, and takes one slot", async () => {
    await withThreeUnderWay(40);
    for (let updated = 2; updated <= 39; updated += 1) {
      if (updated % 8 === 0) await restarts.changeLeader();
      restarts.report(TEAM, "a", { replicas: 40, updatedReplicas: updated, availableReplicas: 39 });
      await restarts.pass(5 * MINUTE);
      for (const name of restarted()) if (name !== "a") restarts.complete(TEAM, name);
      assert.match(restarts.rotated(TEAM), /^False Restarting/);
    }
    assert.deepEqual(restarted(), NAMES);
    assert.deepEqual(
      restarts.events(TEAM, "a").filter((event) => event.startsWith("RolloutFailed")),
      [],
    );
  });

  test("is still rejected after a change of the leader", async () => {
    restarts = new Restarts({ mostAtATime: 3 });
    restarts.team(TEAM);
    for (const name of NAMES) restarts.deploy(TEAM, name);
    await restarts.lead();
    restarts.failWrites("a", "Forbidden", 403);
    await restarts.rotate(TEAM);
    await completeOthers();
    await restarts.changeLeader();
    await restarts.pass(3 * MINUTE);
    assert.deepEqual(restarted(), ["b", "c"]);
    restarts.world.cluster.fault = () => undefined;
    await restarts.pass(2 * MINUTE);
    assert.deepEqual(restarted(), NAMES);
  });
});

describe("RA2: a restart that a policy rejects, with three slots in the namespace", () => {
  async function withRejected(): Promise<{ readonly tries: number }> {
    restarts = new Restarts({ mostAtATime: 3 });
    restarts.team(TEAM);
    for (const name of NAMES) restarts.deploy(TEAM, name);
    await restarts.lead();
    const counted = restarts.failWrites("a", "Forbidden", 403);
    await restarts.rotate(TEAM);
    assert.deepEqual(restarted(), ["b", "c"], "they began together with the first attempt");
    for (const name of ["b", "c"]) restarts.complete(TEAM, name);
    return counted;
  }

  test("halts the namespace for as long as it is rejected", async () => {
    const counted = await withRejected();
    for (let minute = 1; minute <= 10; minute += 1) {
      await restarts.pass(MINUTE);
      assert.deepEqual(restarted(), ["b", "c"], `after ${minute} minutes`);
      assert.match(restarts.rotated(TEAM), /^False RolloutFailed: Deployment a: the API server rejected its restart/);
      assert.equal(await restarts.metric("rollouts_halted"), 1);
    }
    assert.ok(counted.tries >= 9 && counted.tries <= 13, `${counted.tries} tries`);
  });

  test("halts it although its status changes, so that it is tried again at once", async () => {
    const counted = await withRejected();
    const before = counted.tries;
    for (let round = 0; round < 5; round += 1) {
      restarts.report(TEAM, "a", { replicas: 1, updatedReplicas: 1, availableReplicas: 1, collisionCount: round });
      await restarts.pass(10_000);
    }
    assert.ok(counted.tries >= before + 5, `${counted.tries - before} tries`);
    assert.deepEqual(restarted(), ["b", "c"]);
  });

  for (const [what, code, status] of [
    ["somebody writes the workload in between", "Conflict", 409],
    ["the API server is overloaded in between", "Throttled", 429],
    ["no answer comes in between", "Unavailable", undefined],
  ] as const) {
    test(`halts it where ${what}`, async () => {
      await withRejected();
      restarts.failWrites("a", code, status);
      await restarts.pass(5 * MINUTE);
      assert.deepEqual(restarted(), ["b", "c"]);
      assert.match(restarts.rotated(TEAM), /^False RolloutFailed: Deployment a: the API server rejected its restart/);
    });
  }

  test("halts it while its own window is closed", async () => {
    await withRejected();
    const hour = new Date(restarts.world.clock.now() - 2 * 60 * MINUTE).getUTCHours();
    restarts.annotate(TEAM, "a", { "restart-window": `0 ${hour} * * * for 1h` });
    await restarts.pass(5 * MINUTE);
    assert.deepEqual(restarted(), ["b", "c"]);
    assert.match(restarts.rotated(TEAM), /^False RolloutFailed: Deployment a/);
  });

  test("halts it no longer once it is accepted", async () => {
    await withRejected();
    restarts.world.cluster.fault = () => undefined;
    await restarts.pass(2 * MINUTE);
    assert.deepEqual(restarted(), NAMES, "a takes one slot");
    for (const name of NAMES) restarts.complete(TEAM, name);
    await restarts.pass(MINUTE);
    assert.match(restarts.rotated(TEAM), /^True Rotated/);
  });

  test("halts it no longer once somebody pauses the workload", async () => {
    await withRejected();
    restarts.annotate(TEAM, "a", { "restart-paused": "true" });
    await restarts.pass(2 * MINUTE);
    assert.deepEqual(restarted(), ["b", "c", "d", "e"]);
  });
});
