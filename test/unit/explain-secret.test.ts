import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { runOffline } from "../support/cli/cli.ts";
import { heldCluster } from "../support/cli/held-cluster.ts";
import type { Manifest } from "../support/cluster/shipped-manifests.ts";
import { usedClass } from "../support/fixtures/used-objects.ts";

const NAMESPACE: Manifest = { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } };
const CLASSES = [
  usedClass("web", { objects: ["secret/db-pass"], secrets: { "shop-db": { password: "db-pass" } } }),
  usedClass("unused", { objects: ["secret/db-pass"] }),
];

async function said(...argv: readonly string[]): Promise<string> {
  const { code, notes } = await runOffline(["explain", ...argv], "", { cluster: heldCluster([NAMESPACE, ...CLASSES]) });
  assert.equal(code, 2);
  return notes.join("\n");
}

describe("NB14: explain, of a Kubernetes Secret", () => {
  const TO_CLASS = /explain does not support Secrets; shop-db is synced by class web: run keyvault-injector explain spc\/web -n shop$/;

  for (const argv of [["secret/shop-db"], ["secrets", "shop-db"], ["Secret/shop-db", "-n", "shop"]]) {
    test(`names the class that syncs it: ${argv.join(" ")}`, async () => assert.match(await said(...argv), TO_CLASS));
  }

  test("says so, if no class syncs it", async () => {
    assert.match(await said("secret/other"), /explain does not support Secrets; no class in namespace shop syncs other$/);
  });

  test("with --offline needs no cluster to say what explain does not support", async () => {
    assert.match(await said("secret/shop-db", "--offline"), /--offline: secret\/shop-db is an object in a cluster/);
  });
});
