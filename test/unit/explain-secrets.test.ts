import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { clusterSteps } from "../../src/cli/explain/explain-class.ts";
import type { SecretProviderClassSync } from "../../src/domain/sync/stored-status.ts";
import { holding } from "../support/worker/held-objects.ts";
import { classOf, opaque } from "../support/worker/sync-world.ts";

const spc = classOf(
  { vault: "demo-vault", tenantId: "00000000-0000-4000-8000-000000000001" },
  { namespace: "shop", name: "web", objects: ["db"], secretObjects: [opaque("app", "db")] },
);

/** What explain says of the Secret `app` whose keys the status describes so. */
async function said(data: readonly object[]): Promise<readonly string[]> {
  const status = {
    observedGeneration: 1,
    conditions: [{ type: "Synced", status: "False", reason: "ObjectNotFound", message: "create it" }],
    secrets: [{ name: "app", state: "ObjectNotFound", message: "create it", data }],
  };
  const value = { metadata: { namespace: "shop", name: "web" }, status } as unknown as SecretProviderClassSync; // As stored.
  const steps = await clusterSteps(holding([]), "shop", [], [{ spc, reading: { kind: "seen", value } }]);
  return steps.filter(({ topic, state }) => topic === "secret" && state === "problem").map(({ message }) => message);
}

describe("NC5: explain, of a Secret's keys", () => {
  for (const [what, key, text] of [
    ["with a version", { key: "value", object: "secret/db", version: "v1" }, "value from secret/db version v1"],
    ["not written yet", { key: "value", object: "secret/db", state: "ObjectNotFound" }, "value from secret/db, not written yet"],
    ["that no object makes", { key: "value", state: "InvalidClass" }, "value, not written yet"],
    ["of an object that is unknown by now", { key: "value", version: "v1" }, "value version v1"],
  ] as const) {
    test(`says of one ${what} only what is known`, async () => {
      assert.deepEqual(await said([key]), [`Secret app is ObjectNotFound: create it: ${text}`]);
    });
  }
});

describe("NB10: a class that names another object than its Secret was written from", () => {
  test("is told with both by explain", async () => {
    const texts = await said([{ key: "value", object: "secret/old-db", version: "v1" }]);

    assert.deepEqual(texts, ["Secret app is ObjectNotFound: create it: value still holds secret/old-db@v1; the class now names secret/db"]);
  });

  test("is not told of the same object in other letters", async () => {
    const texts = await said([{ key: "value", object: "secret/DB", version: "v1" }]);

    assert.deepEqual(texts, ["Secret app is ObjectNotFound: create it: value from secret/DB version v1"]);
  });
});
