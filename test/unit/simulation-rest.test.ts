import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { VERSION } from "../../tools/repository-files.ts";
import type { Attributes } from "../simulation/api/interface.ts";
import type { JsonObject } from "../simulation/api/json.ts";
import { nothingAtRest } from "../simulation/invariants/rest.ts";
import { isGrantedBlindly } from "../simulation/world/blind-rights.ts";
import { releaseManifests } from "../simulation/world/cluster.ts";
import { SYNC_USER } from "../simulation/world/world.ts";
import { MINUTE, StagedWorld } from "../support/worker/staged-world.ts";

/** Writes a Secret, then writes it again with these resource versions. Returns the findings. */
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
  const installed = releaseManifests("keyvault-injector.yaml", VERSION);
  const objects = (resource: string) =>
    installed.filter(
      ({ kind, apiVersion }) => `${kind.toLowerCase()}s.${apiVersion.split("/")[0]}` === resource,
    ) as unknown as JsonObject[];
  const may = (verb: Attributes["verb"], name?: string, differs: { readonly user?: string; readonly namespace?: string } = {}): boolean =>
    isGrantedBlindly({ ...asked, verb, name, ...differs }, objects);

  test("let it write, and read and patch what it signs in and signs with, and nothing else", () => {
    assert.deepEqual([may("list"), may("watch"), may("get", "db"), may("patch", "db")], [false, false, false, false]);
    assert.deepEqual([may("create"), may("update", "db"), may("delete", "db")], [true, true, true]);
    assert.equal(may("get", "secrets-store-creds"), true);
    const ours = { namespace: "keyvault-injector" };
    assert.deepEqual([may("get", "keyvault-injector-sync-key", ours), may("patch", "keyvault-injector-sync-key", ours)], [true, true]);
    assert.equal(may("list", undefined, { user: "author" }), true);
  });
});
