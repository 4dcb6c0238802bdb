import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { secretsMatch } from "../simulation/invariants/secrets.ts";
import { SYNC_USER } from "../simulation/world/world.ts";
import { StagedWorld } from "../support/worker/staged-world.ts";

const ORPHAN = ["mine/former is not named by app any more"];

/** A class whose second Secret is still there although the class does not name it any more. */
function stage({ isBlind, lostBy }: { readonly isBlind: boolean; readonly lostBy?: string }): readonly string[] {
  const staged = new StagedWorld({ isBlind });
  staged.team("mine");
  staged.secret("mine", "db", { db: "vault-of-mine/db/1" });
  staged.secret("mine", "former", { db: "vault-of-mine/db/1" });
  secretsMatch.watch?.(staged.world, assert.fail);
  if (lostBy !== undefined)
    staged.written({
      resource: "secretproviderclasssyncs.keyvault-injector.dev",
      verb: "delete",
      user: lostBy,
      namespace: "mine",
      name: "app",
    });
  return (secretsMatch.atRest?.(staged.world) ?? []).filter((text) => text.includes("former"));
}

describe("the simulation's invariant that no Secret stays that its class dropped", () => {
  // Seed 19 of the small world: the statuses were lost with their CRD, and a blind worker started anew.
  test("asks nothing of a blind worker whose status of the class was lost", () => {
    assert.deepEqual(stage({ isBlind: true, lostBy: "system:apiserver" }), []);
  });

  for (const [what, staged] of [
    ["that can read Secrets", { isBlind: false, lostBy: "system:apiserver" }],
    ["that is blind and has the status", { isBlind: true }],
    ["that is blind and removed the status itself", { isBlind: true, lostBy: SYNC_USER }],
  ] as const) {
    test(`finds the Secret of a worker ${what}`, () => {
      assert.deepEqual(stage(staged), ORPHAN);
    });
  }
});
