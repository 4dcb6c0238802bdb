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

describe("NB12: a name that is near to another one", () => {
  const namespace: Manifest = { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } };
  const { ["spec"]: spec } = CLASS as Manifest & { readonly spec: { readonly parameters: object } };
  const withIdentity = { ...spec, parameters: { ...spec.parameters, clientID: "app-1" } };
  const lent = {
    ...CLASS,
    spec: withIdentity,
    metadata: { ...CLASS.metadata, annotations: { "keyvault-injector.dev/service-account": "cart" } },
  };

  for (const [argv, said] of [
    [["where", "nosuch"], "no class lists the object nosuch; the classes list secret/db-pass"],
    [["where", "secret/db-pas"], "no class lists the object secret/db-pas; did you mean secret/db-pass?"],
    [["where", "--vault", "nosuch"], "no class uses the vault nosuch; the classes use shop-kv"],
    [["where", "--vault", "shop-kw"], "no class uses the vault shop-kw; did you mean vault shop-kv?"],
    [["grants", "--account", "crat"], "--account: no synced class or event queue uses the ServiceAccount crat; did you mean cart?"],
  ] as const) {
    test(`is suggested: ${argv.join(" ")}`, async () => {
      const { code, notes } = await runOffline(argv, "", { cluster: heldCluster([namespace, lent, STATUS]) });
      assert.deepEqual([code, notes], [2, [`keyvault-injector ${argv[0]}: ${said}`]]);
    });
  }
});

describe("NB23: a second class", () => {
  for (const [command, message] of [
    ["refresh", 'unexpected argument "shop/b"; refresh takes one class'],
    ["restore", 'unexpected argument "shop/b"; restore takes one class'],
  ] as const) {
    test(`is answered with how many ${command} takes`, async () => {
      const { code, notes } = await runOffline([command, "shop/a", "shop/b"], "", { cluster: heldCluster([]) });
      assert.deepEqual([code, notes], [2, [`keyvault-injector ${command}: ${message}`]]);
    });
  }
});
