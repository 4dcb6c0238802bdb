import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { nothingAtRest } from "../simulation/invariants/rest.ts";
import { isBlindly } from "../simulation/world/blind-rights.ts";
import { SYNC_USER } from "../simulation/world/world.ts";
import { MINUTE, StagedWorld } from "../support/worker/staged-world.ts";

/** A Secret is written twice, with these versions; and what is found then. */
async function write(isBlind: boolean, versions: readonly number[]): Promise<readonly string[] | undefined> {
  const staged = new StagedWorld({ isBlind });
  nothingAtRest.watch?.(staged.world, assert.fail);
  staged.written({ namespace: "team", name: "db", resourceVersion: 1 });
  await staged.pass(60 * MINUTE);
  for (const resourceVersion of versions) staged.written({ namespace: "team", name: "db", resourceVersion });
  return nothingAtRest.atRest?.(staged.world);
}

describe("the simulation's invariant that nothing is written at rest", () => {
  test("finds a write, also one that changes nothing", async () => {
    assert.deepEqual(await write(false, []), []);
    assert.deepEqual(await write(false, [1]), ["1 x apply secrets team/db"]);
  });

  test("finds of a worker that sees no Secrets what it changes, not what it writes as it is", async () => {
    assert.deepEqual(await write(true, [1, 1]), []);
    assert.deepEqual(await write(true, [1, 2]), ["1 x apply secrets team/db"]);
  });
});

describe("the simulation's rights of a worker that sees no Secrets", () => {
  const asked = { user: SYNC_USER, group: "", resource: "secrets", subresource: "", namespace: "team" } as const;

  test("let it write and read what it signs in with, and nothing else", () => {
    assert.equal(isBlindly({ ...asked, verb: "list", name: undefined }), false);
    assert.equal(isBlindly({ ...asked, verb: "watch", name: undefined }), false);
    assert.equal(isBlindly({ ...asked, verb: "get", name: "db" }), false);
    assert.equal(isBlindly({ ...asked, verb: "get", name: "secrets-store-creds" }), true);
    assert.equal(isBlindly({ ...asked, verb: "update", name: "db" }), true);
    assert.equal(isBlindly({ ...asked, verb: "list", name: undefined, user: "author" }), true);
  });
});
