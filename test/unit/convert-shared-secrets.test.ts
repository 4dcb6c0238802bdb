import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { runOffline } from "../support/cli/cli.ts";

const keyVaultSecret = (name: string, object: object, secret: object) => ({
  apiVersion: "spv.no/v2beta1",
  kind: "AzureKeyVaultSecret",
  metadata: { name, namespace: "shop" },
  spec: { vault: { name: "shop-prod", object }, output: { secret: { name: "both", ...secret } } },
});

async function converted(objects: readonly object[], options: readonly string[] = []) {
  const { code, output, notes } = await runOffline(
    ["convert", "-o", "json", "--tenant-id", "t", "-f", "-", ...options],
    objects.map((each) => JSON.stringify(each)).join("\n---\n"),
  );
  const errors = notes.filter((note) => note.includes(" error: ")).map((note) => note.replace(/^standard input:\d+: /, ""));
  return { code, classes: JSON.parse(output).items, errors };
}

const filled = (other: string, key: string): string =>
  `error: spec.output.secret: ${other} writes the same key ${key} of the Secret; keep one of them, or give each its own key or Secret`;
const held = (other: string): string =>
  `error: spec.output.secret.name: ${other}, which is not converted, also writes the Secret; fix that`;

describe("AzureKeyVaultSecrets that fill one key of one Secret", () => {
  const objects = ["one", "two", "three"].map((name) =>
    keyVaultSecret(name, { name, type: "secret" }, { dataKey: name === "one" ? "other" : "token" }),
  );

  for (const options of [[], ["--partial"]]) {
    test(`A12: become no class, and both are named: ${["convert", ...options].join(" ")}`, async () => {
      assert.deepEqual(await converted(objects, options), {
        code: 1,
        classes: [],
        errors: [
          `AzureKeyVaultSecret/one: ${held("two, three")}`,
          `AzureKeyVaultSecret/two: ${filled("three", "token")}`,
          `AzureKeyVaultSecret/three: ${filled("two", "token")}`,
        ],
      });
    });
  }

  test("A19-7: name three of the others, however many there are", async () => {
    const many = Array.from({ length: 400 }, (_, index) =>
      keyVaultSecret(`s-${index}`, { name: "x", type: "secret" }, { dataKey: "token" }),
    );

    const { errors } = await converted(many);

    assert.equal(errors.length, 400);
    assert.equal(errors[0], `AzureKeyVaultSecret/s-0: ${filled("s-1 and s-2 and s-3 and 396 more", "token")}`);
  });

  test("A12: are named where the key is the one of the Secret's type", async () => {
    const tls = ["web", "api"].map((name) => keyVaultSecret(name, { name, type: "certificate" }, { type: "kubernetes.io/tls" }));

    assert.deepEqual((await converted(tls)).errors, [
      `AzureKeyVaultSecret/web: ${filled("api", "tls.crt")}`,
      `AzureKeyVaultSecret/api: ${filled("web", "tls.crt")}`,
    ]);
  });

  test("are one class each where the Secrets lie in two namespaces", async () => {
    const [one = assert.fail()] = objects;
    const { code, classes } = await converted([one, { ...one, metadata: { name: "one", namespace: "other" } }]);

    assert.deepEqual([code, classes.length], [0, 2]);
  });
});

describe("an AKVSync", () => {
  const akvSync = (...objects: readonly object[]) => ({
    apiVersion: "secret-sync.x-k8s.io/v1alpha1",
    kind: "AKVSync",
    metadata: { name: "shop", namespace: "shop" },
    spec: { keyvaultName: "shop-prod", clientID: "c", tenantID: "t", serviceAccountName: "checkout", objects },
  });

  test("whose entries make one Secret twice is an error, as a class has each once", async () => {
    const entries = ["first", "second"].map((secretInAKV) => ({ secretInAKV, kubernetesSecretName: "login" }));

    assert.deepEqual(await converted([akvSync(...entries)]), {
      code: 1,
      classes: [],
      errors: [
        "AKVSync/shop: error: spec: it creates the Secret login twice, but a class can create each Secret only once; name another Secret in one of the two",
      ],
    });
  });

  test("with a dataKey twice in a mapping is an error", async () => {
    const mapping = ["first", "second"].map((secretInAKV) => ({ secretInAKV, dataKey: "token" }));

    assert.deepEqual(await converted([akvSync({ kubernetesSecretName: "login", mapping })]), {
      code: 1,
      classes: [],
      errors: ["AKVSync/shop: error: spec: it writes the key token of the Secret login twice; remove one of the two, or name another key"],
    });
  });
});
