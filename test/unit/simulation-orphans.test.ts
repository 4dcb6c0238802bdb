import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { secretsMatch } from "../simulation/invariants/secrets.ts";
import { SYNC_USER } from "../simulation/world/world.ts";
import { StagedWorld } from "../support/worker/staged-world.ts";

const ORPHAN = ["mine/former is not named by app any more"];

interface Staged {
  readonly isBlind: boolean;
  /** User that deleted the status. */
  readonly lostBy?: string;
  /** Secrets in each status that the worker wrote after that. */
  readonly named?: readonly (readonly string[])[];
}

/** A class whose second Secret is still there although the class does not name it any more. */
function stage({ isBlind, lostBy, named = [] }: Staged): readonly string[] {
  const staged = new StagedWorld({ isBlind });
  staged.team("mine");
  staged.secret("mine", "db", { db: "vault-of-mine/db/1" });
  staged.secret("mine", "former", { db: "vault-of-mine/db/1" });
  secretsMatch.watch?.(staged.world, assert.fail);
  const status = { resource: "secretproviderclasssyncs.keyvault-injector.dev", namespace: "mine", name: "app" };
  if (lostBy !== undefined) staged.written({ ...status, verb: "delete", user: lostBy });
  for (const names of named) {
    staged.put(status.resource, "mine/app", { status: { secrets: names.map((name) => ({ name, state: "Synced" })) } });
    staged.written(status);
  }
  return (secretsMatch.atRest?.(staged.world) ?? []).filter((text) => text.includes("former"));
}

describe("the simulation's invariant that no Secret stays that its class dropped", () => {
  // Seed 19 of the small world: the statuses were lost with their CRD, and a blind worker started anew.
  test("asks nothing of a blind worker whose status of the class was lost", () => {
    assert.deepEqual(stage({ isBlind: true, lostBy: "system:apiserver" }), []);
    assert.deepEqual(stage({ isBlind: true, lostBy: "system:apiserver", named: [[], ["db"]] }), [], "nor by a status since");
  });

  for (const [what, staged] of [
    ["that can read Secrets", { isBlind: false, lostBy: "system:apiserver" }],
    ["that is blind and has the status", { isBlind: true }],
    [
      "that is blind and has named the Secret in a status since",
      { isBlind: true, lostBy: "system:apiserver", named: [["db", "former"], ["db"]] },
    ],
    ["that is blind and removed the status itself", { isBlind: true, lostBy: SYNC_USER }],
  ] as const) {
    test(`finds the Secret of a worker ${what}`, () => {
      assert.deepEqual(stage(staged), ORPHAN);
    });
  }
});
