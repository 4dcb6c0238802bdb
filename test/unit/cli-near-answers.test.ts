import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { runOffline } from "../support/cli/cli.ts";
import { heldCluster } from "../support/cli/held-cluster.ts";
import { CLASS, STATUS } from "../support/cli/where.ts";
import type { Manifest } from "../support/cluster/shipped-manifests.ts";
import { usedSecret } from "../support/fixtures/used-objects.ts";

const HINT = "To see why a version is unknown, add -o wide.";

describe("NB13: where, for a version that is unknown", () => {
  const shop: Manifest = { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } };
  const last = async (secret: Manifest, ...args: readonly string[]) => {
    const cluster = heldCluster([shop, CLASS, STATUS, secret]);
    const { output } = await runOffline(["where", "secret/db-pass", ...args], "", { cluster });
    return output.trimEnd().split("\n").at(-1);
  };
  const unknown = usedSecret("db", { className: "web", objects: "" });

  test("ends with the option that shows why", async () => {
    assert.equal(await last(unknown), HINT);
  });

  test("does not name it where it is in use, or where all versions are known", async () => {
    const known = usedSecret("db", { className: "web", objects: `secret/db-pass@${"a".repeat(32)}` });
    assert.notEqual(await last(unknown, "-o", "wide"), HINT);
    assert.notEqual(await last(known), HINT);
  });
});
