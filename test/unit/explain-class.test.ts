import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { runOffline } from "../support/cli/cli.ts";
import { heldCluster } from "../support/cli/held-cluster.ts";
import type { Manifest } from "../support/cluster/shipped-manifests.ts";
import { usedClass } from "../support/fixtures/used-objects.ts";

const NAMESPACE: Manifest = { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } };

async function explained(spc: Manifest): Promise<string> {
  const cluster = heldCluster([NAMESPACE, spc]);
  return (await runOffline(["explain", `spc/${spc.metadata.name}`, "-n", "shop"], "", { cluster })).output;
}

describe("NB3: explain, of a class without secretObjects that no pod mounts", () => {
  test("does not say that pods mount it", async () => {
    const output = await explained(usedClass("unused", { objects: ["secret/db-pass"] }));

    assert.equal(output.split("\n")[1], "  it lists no secretObjects, so nothing is synced; pods can still mount it", output);
    assert.match(output, /^ {2}ok +pods +no pod mounts it now$/m);
  });
});
