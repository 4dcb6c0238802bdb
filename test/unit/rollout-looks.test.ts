import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import { refusal } from "../support/simulation/cluster.ts";
import { Restarts } from "../support/simulation/restarts.ts";

const MINUTE = 60_000;
const TEAM = "team";

let restarts: Restarts;
afterEach(() => restarts.stop());

/** A Deployment `web` whose Secret is there, and a worker that restarts it. */
async function leading(...more: ConstructorParameters<typeof Restarts>): Promise<Restarts> {
  restarts = new Restarts(...more);
  await restarts.pass(Date.UTC(2026, 10, 30, 12) - restarts.world.clock.now());
  restarts.team(TEAM);
  restarts.deploy(TEAM, "web");
  await restarts.lead();
  return restarts;
}

describe("a version that has come into its Secret", () => {
  test("R18-16: restarts the workload while the status of its class is not taken", async () => {
    const { world } = await leading();
    let refused = 0;
    world.cluster.fault = ({ verb, resource }) => {
      if (verb !== "apply" || resource.plural !== RESOURCES.secretProviderClassSyncs.plural) return undefined;
      refused += 1;
      return refusal("Unavailable", 500);
    };
    await restarts.rotate(TEAM);
    await restarts.pass(MINUTE);
    assert.ok(refused > 0, "every status was taken");
    assert.equal(world.value({ namespace: TEAM, name: `app-${TEAM}` }), `${TEAM}@v2`);
    assert.notEqual(restarts.stamp(TEAM, "web"), undefined);
  });
});

describe("the condition Rotated", () => {
  for (const enableSecretRotation of [true, false]) {
    test(`R18-17: goes with --restart-workloads=false, ${enableSecretRotation ? "with" : "without"} polls`, async () => {
      const { world } = await leading();
      assert.match(restarts.rotated(TEAM), /^True Rotated/);
      await restarts.stop();
      const leader = world.lead({ settings: { enableSecretRotation } });
      await restarts.pass(15_000);
      assert.equal(restarts.rotated(TEAM), "none");
      assert.equal(world.condition({ namespace: TEAM, name: "app" }, "Ready"), "True Synced");
      await leader.stop();
    });
  }
});
