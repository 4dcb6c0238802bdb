/** A new leader that cannot list what it needs at first: it must still take over what the leader before knew. */
import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import { WORKLOADS } from "../../src/domain/rollout/workload-kinds.ts";
import { Restarts } from "../support/simulation/restarts.ts";

const MINUTE = 60_000;
const TEAM = "team";
const NAMES = ["a", "b", "c", "d", "e"];

let restarts: Restarts;
afterEach(() => restarts.stop());

const restarted = (): readonly string[] => NAMES.filter((name) => restarts.stamp(TEAM, name) !== undefined);

describe("RB5: a halt that a new leader inherits", () => {
  /** Of three restarts, that of a has failed, so d and e wait. */
  async function halted(timeoutMs: number): Promise<void> {
    restarts = new Restarts({ mostAtATime: 3, timeoutMs });
    restarts.team(TEAM);
    for (const name of NAMES) restarts.deploy(TEAM, name, { spec: { progressDeadlineSeconds: timeoutMs / 1_000 } });
    await restarts.lead();
    await restarts.rotate(TEAM);
    for (const name of ["a", "b", "c"]) restarts.report(TEAM, name, { replicas: 1, updatedReplicas: 1, availableReplicas: 0 });
    await restarts.pass(timeoutMs + MINUTE);
    for (const name of ["b", "c"]) restarts.complete(TEAM, name);
    await restarts.pass(MINUTE);
    assert.match(restarts.rotated(TEAM), /^False RolloutFailed: Deployment a/);
    await restarts.stop();
  }

  for (const timeout of [1, 10]) {
    for (const [kind, resource] of [["workloads", WORKLOADS.Deployment] as const, ["Namespaces", RESOURCES.namespaces] as const]) {
      test(`stays where it cannot list ${kind} for longer than the timeout of ${timeout} min`, async () => {
        await halted(timeout * MINUTE);
        const mend = restarts.world.cluster.refuseLists(resource);
        await restarts.lead();
        await restarts.pass(timeout * MINUTE + 30_000);
        mend();

        await restarts.pass(timeout * MINUTE + 2 * MINUTE);

        assert.deepEqual(restarted(), ["a", "b", "c"]);
        assert.match(restarts.rotated(TEAM), /^False RolloutFailed: Deployment a/);
      });
    }
  }
});
