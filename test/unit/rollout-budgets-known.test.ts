import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import { Restarts } from "../support/simulation/restarts.ts";

const TEAM = "team";

describe("a restart that waits until PodDisruptionBudgets are known", () => {
  for (const count of [0, 1])
    test(`N4: begins once they are listed, of a namespace with ${count} of them`, async () => {
      const restarts = new Restarts({ respectsBudgets: true });
      const allow = restarts.world.cluster.refuseLists(RESOURCES.podDisruptionBudgets);
      restarts.team(TEAM);
      restarts.deploy(TEAM, "web");
      const budget = {
        apiVersion: "policy/v1",
        kind: "PodDisruptionBudget",
        metadata: { namespace: TEAM, name: "other" },
        spec: { selector: { matchLabels: { app: "other" } } },
      };
      if (count > 0) restarts.world.cluster.put(RESOURCES.podDisruptionBudgets, budget);
      await restarts.lead();
      await restarts.rotate(TEAM);
      assert.equal(restarts.stamp(TEAM, "web"), undefined);
      allow();
      await restarts.pass(5_000);
      assert.notEqual(restarts.stamp(TEAM, "web"), undefined);
      await restarts.stop();
    });
});
