/** Restarts whose next write fails: what the worker knew before must still count. */
import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { KubeError } from "../../src/domain/ports/kube-error.ts";
import { WORKLOADS } from "../../src/domain/rollout/workload-kinds.ts";
import { Restarts } from "../support/simulation/restarts.ts";

const MINUTE = 60_000;
const TEAM = "team";

let restarts: Restarts;
afterEach(() => restarts.stop());

describe("RB1: a restart under way whose next one cannot be written", () => {
  /** Three of its pods are being replaced, and b and c wait for their turn. */
  async function withRestartUnderWay(): Promise<void> {
    restarts = new Restarts({ mostAtATime: 1 });
    restarts.team(TEAM);
    for (const name of ["a", "b", "c"]) restarts.deploy(TEAM, name, { replicas: 3 });
    await restarts.lead();
    await restarts.rotate(TEAM);
    restarts.report(TEAM, "a", { replicas: 4, updatedReplicas: 1, availableReplicas: 2 });
    await restarts.pass(30_000);
    assert.deepEqual([restarts.stamp(TEAM, "b"), restarts.stamp(TEAM, "c")], [undefined, undefined]);
  }

  for (const [what, code, status] of [
    ["fails", "Unavailable", 500],
    ["is not answered", "Unavailable", undefined],
    ["conflicts", "Conflict", 409],
  ] as const) {
    test(`keeps the turn of its namespace where the write ${what}`, async () => {
      await withRestartUnderWay();
      const first = restarts.stamp(TEAM, "a");
      const failing = restarts.failWrites("a", code, status);

      await restarts.rotate(TEAM);
      await restarts.pass(2 * MINUTE);

      assert.ok(failing.tries > 0);
      assert.deepEqual([restarts.stamp(TEAM, "a"), restarts.stamp(TEAM, "b"), restarts.stamp(TEAM, "c")], [first, undefined, undefined]);
    });
  }
});

describe("RB2: a rejected restart", () => {
  test("halts its namespace also while its versions settle anew", async () => {
    restarts = new Restarts({ mostAtATime: 1 });
    const { world } = restarts;
    restarts.team(TEAM);
    world.vaults.set("o2");
    world.apply({ namespace: TEAM, name: "other", objects: ["o2"] });
    for (const name of ["a", "c"]) restarts.deploy(TEAM, name);
    const c = JSON.stringify(restarts.live(TEAM, "c"));
    world.cluster.put(WORKLOADS.Deployment, JSON.parse(c.replace(`app-${TEAM}`, "other-o2")));
    restarts.complete(TEAM, "c");
    await restarts.lead();
    restarts.failWrites("a", "Forbidden", 403);
    await restarts.rotate(TEAM);
    world.vaults.set("o2");
    const annotations = { "keyvault-injector.dev/refresh": String(world.clock.now()) };
    world.apply({ namespace: TEAM, name: "other", objects: ["o2"], annotations });
    await restarts.pass(15_000);
    await restarts.pass(5 * MINUTE);
    assert.match(restarts.rotated(TEAM), /^False RolloutFailed: Deployment a/);

    await restarts.rotate(TEAM);
    await restarts.pass(30_000);

    assert.equal(restarts.stamp(TEAM, "c"), undefined);
  });

  test("halts its namespace also while its pods cannot be listed", async () => {
    restarts = new Restarts({ mostAtATime: 1 });
    const { cluster } = restarts.world;
    restarts.team(TEAM);
    for (const name of ["a", "b"]) restarts.deploy(TEAM, name);
    await restarts.lead();
    restarts.failWrites("a", "Forbidden", 403);
    await restarts.rotate(TEAM);
    assert.match(restarts.rotated(TEAM), /^False RolloutFailed: Deployment a/);
    const rejecting = cluster.fault;
    let failed = 0;
    cluster.fault = (call) => {
      if (call.verb !== "list" || call.resource.plural !== "pods" || failed > 0) return rejecting?.(call);
      failed += 1;
      return new KubeError("Unavailable", "list pods: etcd timeout", { retry: { kind: "backoff" }, status: 500 });
    };

    for (let minute = 1; minute <= 4; minute += 1) {
      const conditions = [{ type: "x", status: String(minute) }];
      restarts.report(TEAM, "a", { replicas: 1, updatedReplicas: 1, availableReplicas: 1, conditions });
      await restarts.pass(MINUTE);
    }

    assert.deepEqual([failed, restarts.stamp(TEAM, "b")], [1, undefined]);
  });
});
