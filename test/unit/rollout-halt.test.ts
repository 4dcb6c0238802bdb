/** How long a failed restart keeps the other restarts of its namespace from beginning. */
import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { Restarts } from "../support/simulation/restarts.ts";

const MINUTE = 60_000;
const TEAM = "team";
const NAMES = ["a", "b", "c", "d", "e"];

let restarts: Restarts;
afterEach(() => restarts.stop());

function restarted(): readonly string[] {
  return NAMES.filter((name) => restarts.stamp(TEAM, name) !== undefined);
}

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
