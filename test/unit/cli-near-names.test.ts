import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { editDistance, nearestName, nearestSpelling } from "../../src/domain/spelling.ts";
import { runOffline } from "../support/cli/cli.ts";
import { heldCluster } from "../support/cli/held-cluster.ts";
import type { Manifest } from "../support/cluster/shipped-manifests.ts";
import { usedClass } from "../support/fixtures/used-objects.ts";

const named = (apiVersion: string, kind: string, name: string, namespace?: string): Manifest => ({
  apiVersion,
  kind,
  metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
});

const WORLD = [
  named("v1", "Namespace", "shop"),
  named("apps/v1", "Deployment", "shop", "shop"),
  usedClass("shop-secrets", { objects: ["secret/db-password"] }),
  named("v1", "Namespace", "pay"),
  named("v1", "Namespace", "empty"),
  ...["a", "b", "c", "d", "e", "f", "ledger"].map((name) => named("secrets-store.csi.x-k8s.io/v1", "SecretProviderClass", name, "pay")),
];

async function said(argv: readonly string[], objects: readonly Manifest[] = WORLD): Promise<string> {
  const { code, notes } = await runOffline(argv, "", { cluster: heldCluster(objects) });
  assert.equal(code, 2);
  return notes.join("\n");
}

describe("a name that no object has", () => {
  for (const [argv, meant] of [
    [["explain", "spc/shop-secret"], /SecretProviderClass shop-secret does not exist in namespace shop; did you mean shop-secrets\?$/],
    [["explain", "deploy/shp"], /Deployment shp does not exist in namespace shop; did you mean shop\?$/],
    [["refresh", "shop/shop-sercets"], /SecretProviderClass shop\/shop-sercets does not exist; did you mean shop-secrets\?$/],
    [["refresh", "shop/nope"], /SecretProviderClass shop\/nope does not exist; namespace shop has shop-secrets$/],
    [["refresh", "pay/nope"], /SecretProviderClass pay\/nope does not exist; namespace pay has a, b, c, d, e and 2 more$/],
    [["refresh", "empty/nope"], /SecretProviderClass empty\/nope does not exist; namespace empty has no classes$/],
    [["refresh", "ledger"], /SecretProviderClass shop\/ledger does not exist; did you mean pay\/ledger\?$/],
    [["explain", "spc/ledger"], /SecretProviderClass ledger does not exist in namespace shop; did you mean the one of -n pay\?$/],
  ] as const) {
    test(`NB19: is told with the one that may be meant: ${argv.join(" ")}`, async () => {
      assert.match(await said(argv), meant);
    });
  }

  test("NB19: is told with where to look, where the namespace has nothing of the kind", async () => {
    assert.match(await said(["explain", "pod/web"]), /Pod web does not exist in namespace shop; name another namespace with -n$/);
  });
});

describe("an object of a vault that no class has", () => {
  const IN_PAY = [
    named("v1", "Namespace", "shop"),
    named("v1", "Namespace", "pay"),
    { ...usedClass("card", { objects: ["secret/db-password"], vault: "shop-vault" }), metadata: { namespace: "pay", name: "card" } },
  ];

  for (const [argv, meant] of [
    [
      ["where", "secret/db-password", "--vault", "shop-vault", "-n", "shop"],
      /no class in namespace shop lists the object secret\/db-password of vault shop-vault$/,
    ],
    [["where", "secret/db-password", "-n", "shop"], /no class in namespace shop lists the object secret\/db-password$/],
    [
      ["where", "secret/db-password", "--vault", "shop"],
      /no class lists the object secret\/db-password of vault shop; did you mean vault shop-vault\?$/,
    ],
    [
      ["where", "secret/db-password", "--vault", "shopvault.vault.azure.net"],
      /of vault shopvault\.vault\.azure\.net; did you mean vault shop-vault\?$/,
    ],
  ] as const) {
    test(`NC-15: is told with the namespace, or with the vault that may be meant: ${argv.join(" ")}`, async () => {
      assert.match(await said(argv, IN_PAY), meant);
    });
  }

  test("N2: fails the list of expiry dates, which would otherwise look as if nothing expired", async () => {
    const listed = async (vault: string) => {
      const { code, output, notes } = await runOffline(["where", "--vault", vault], "", { cluster: heldCluster(IN_PAY) });
      return [code, output === "", notes];
    };

    assert.deepEqual(await listed("shop"), [
      2,
      true,
      ["keyvault-injector where: no class uses the vault shop; did you mean vault shop-vault?"],
    ]);
    assert.deepEqual(await listed("shop-vault"), [0, false, []]);
  });
});

describe("the distance of two spellings", () => {
  for (const [from, to, distance] of [
    ["hlep", "help", 1],
    ["zaure", "azure", 1],
    ["ab", "ba", 1],
    ["abcd", "badc", 2],
    ["ca", "abc", 3],
    ["help", "help", 0],
    ["", "abc", 3],
  ] as const) {
    test(`NB19: counts a swap of two neighbours as one slip: ${from} and ${to} are ${distance} apart`, () => {
      assert.equal(editDistance(from, to), distance);
      assert.equal(editDistance(to, from), distance);
    });
  }

  for (const [from, to, distance] of [
    ["a😀", "a😀", 0],
    ["😀a", "a😀", 1],
    ["😀", "é", 1],
    ["", "😀", 1],
  ] as const) {
    test(`CW-15: counts a letter outside of the first plane as one, in either word: ${from} and ${to} are ${distance} apart`, () => {
      assert.equal(editDistance(from, to), distance);
      assert.equal(editDistance(to, from), distance);
    });
  }

  test("CW-15: allows a third of the letters to differ, of whatever plane, and cuts none in half", () => {
    assert.equal(nearestSpelling("😀abxy", ["😀abcd"]), undefined);
    assert.equal(nearestSpelling(`${"x".repeat(62)}😀`, [`${"x".repeat(62)}😁`]), `${"x".repeat(62)}😁`);
    assert.equal(nearestName(`${"x".repeat(62)}😀`, [`${"x".repeat(62)}\ud83d`, `${"x".repeat(62)}😀`]), `${"x".repeat(62)}😀`);
  });

  test("NB19: finds the option that was meant", async () => {
    assert.match((await runOffline(["where", "--hlep"])).notes.join("\n"), /unknown option --hlep; did you mean --help\?$/);
  });
});
