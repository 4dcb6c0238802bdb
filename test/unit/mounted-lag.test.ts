import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { MountedWorld } from "../support/simulation/mounted-world.ts";

const MINUTE = 60_000;
const SECOND = 1_000;

describe("a pod that is made while the vault still gives the version before", () => {
  let mounted: MountedWorld;
  beforeEach(async () => {
    mounted = new MountedWorld(10 * MINUTE);
    await mounted.pass(MINUTE);
    mounted.name("vault-1");
    mounted.pod();
    mounted.record("v1");
    await mounted.pass(10 * MINUTE);
    assert.equal(mounted.restartedFor, undefined);
    // The worker's next check comes later than the pods that a user deploys right away.
    mounted.one.set("db");
    await mounted.pass(8 * SECOND);
  });
  afterEach(() => mounted.stop());

  test("R18-9: is restarted by what the driver's record shows, once the files have the new one", async () => {
    mounted.pod("web-2");
    mounted.record("v1");
    await mounted.pass(4 * MINUTE);
    assert.match(mounted.rotated ?? "", /^False AwaitingFiles: /);

    mounted.record("v2");
    await mounted.pass(MINUTE);
    assert.notEqual(mounted.restartedFor, undefined);
  });

  test("R18-9: is restarted where the driver was sooner than the worker, by a record that was changed after the mount", async () => {
    mounted.pod("web-2");
    mounted.record("v1");
    await mounted.pass(20 * SECOND);
    mounted.record("v2");
    await mounted.pass(5 * MINUTE);
    assert.notEqual(mounted.restartedFor, undefined);
  });

  test("R18-9: is not restarted where it got the new one", async () => {
    mounted.pod("web-2");
    mounted.record("v2");
    await mounted.pass(20 * MINUTE);
    assert.equal(mounted.restartedFor, undefined);
    assert.match(mounted.rotated ?? "", /^True Rotated: /);
  });

  test("R18-9: is not restarted a second time for the version, whatever somebody writes into its record", async () => {
    mounted.pod("web-2");
    mounted.record("v1");
    await mounted.pass(20 * MINUTE);
    const stamp = mounted.restartedFor;
    assert.notEqual(stamp, undefined);
    for (const version of ["v1", "forged", "v2", "v1"]) {
      mounted.record(version);
      await mounted.pass(10 * MINUTE);
    }
    assert.equal(mounted.restartedFor, stamp);
  });
});
