import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { controlPlaneRefusal } from "../support/control-plane.ts";
import { type ComponentWorld, installComponents } from "../support/damage/component-world.ts";
import { assertNothingToApply, brokenIn, countsOf, type DamageResult, runRound, summaryOf } from "../support/damage/run.ts";
import { damageRounds } from "../support/damage/table.ts";

const refusal = controlPlaneRefusal();
const NAMESPACE = "keyvault-injector";
const ROUNDS = damageRounds(NAMESPACE);
const DAMAGES = ROUNDS.flat();

describe("component healing", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  let world: ComponentWorld;
  before(async () => {
    world = await installComponents();
  });
  after(async () => {
    await world?.stop();
  });

  test("knows at least 30 kinds of damage, by at least 12 operations on at least 8 kinds of resource", () => {
    const counts = countsOf(DAMAGES);
    console.log(`damage: ${counts.kinds} kinds, ${counts.operations} operations, ${counts.resources} kinds of resource`);
    assert.ok(counts.kinds >= 30 && counts.operations >= 12 && counts.resources >= 8);
  });

  test("brings back what was damaged, so that the installer's next apply changes nothing", async () => {
    await world.worker(["--heal=crds,classes,components"]);
    await world.copiesAreThere();
    const results: DamageResult[] = [];
    for (const round of ROUNDS) {
      const done = await runRound(world.cluster, round, { within: 25_000 });
      results.push(...done);
      const broken = brokenIn(done);
      if (broken.length > 0) console.log(broken, world.log().slice(-6_000));
      assert.deepEqual(broken, []);
      await assertNothingToApply(world.cluster, round);
    }
    console.log(`component healing: ${summaryOf(results)}`);
  });
});
