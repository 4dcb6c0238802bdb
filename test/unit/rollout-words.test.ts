import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { holdWords } from "../../src/domain/rollout/hold.ts";
import { summarizeObjects } from "../../src/domain/sync/object-status.ts";
import { Restarts } from "../support/simulation/restarts.ts";

const TEAM = "team";

describe("after a restart that failed", () => {
  let restarts: Restarts | undefined;
  afterEach(() => restarts?.stop());

  async function halted(): Promise<Restarts> {
    restarts = new Restarts();
    restarts.team(TEAM);
    restarts.deploy(TEAM, "api");
    restarts.deploy(TEAM, "web");
    await restarts.lead();
    await restarts.rotate(TEAM);
    restarts.report(TEAM, "api", { replicas: 2, updatedReplicas: 1, availableReplicas: 1, unavailableReplicas: 1 });
    await restarts.pass(660_000);
    return restarts;
  }

  test("P1: its event says that an undo lets the next restart begin, and what to set before", async () => {
    const reported = (await halted()).events(TEAM, "api").join("\n");

    assert.match(
      reported,
      /RolloutFailed: .*\. 1 other workloads wait until it is ready\. Fix it, or set keyvault-injector\.dev\/restart-paused on the Namespace and then undo the rollout; an undo alone lets the next restart begin$/,
    );
  });

  test("P17: who waits is told which workload halts the namespace, and how that one stands", async () => {
    const reported = (await halted()).events(TEAM, "web").at(-1);

    assert.equal(
      reported,
      "Waiting: object versions changed, but the workload is not restarted yet: restarts in this namespace are halted by Deployment api (1 of 1 pods are updated, 1 of 2 are available, and nothing has changed for 10m)",
    );
  });
});

describe("words about restarts", () => {
  test("P17: a window that cannot be read is called invalid, with what that keeps back", () => {
    const { words } = holdWords({
      kind: "invalidWindow",
      subject: "keyvault-injector.dev/restart-window on the workload",
      why: "no such day",
    });

    assert.equal(
      words,
      "keyvault-injector.dev/restart-window on the workload is invalid, and prevents restarts until it is corrected: no such day",
    );
  });

  for (const [count, words] of [
    [1, "the class syncs no Secret; 1 object is tracked for restarts"],
    [2, "the class syncs no Secret; 2 objects are tracked for restarts"],
  ] as const) {
    test(`P17: a class without Secrets counts what is followed: ${count}`, () => {
      const objects = Array.from({ length: count }, (_, index) => ({ object: `secret/o${index}`, version: "v" }));

      assert.deepEqual(summarizeObjects(objects), { reason: "Synced", message: words });
    });
  }
});
