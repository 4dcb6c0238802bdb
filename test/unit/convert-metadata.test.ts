import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { runOffline } from "../support/cli/cli.ts";

async function converted(objects: readonly object[], options: readonly string[] = []) {
  const { code, output, notes } = await runOffline(
    ["convert", "-o", "json", "-f", "-", ...options],
    objects.map((each) => JSON.stringify(each)).join("\n---\n"),
  );
  return { code, classes: JSON.parse(output).items, notes: notes.filter((note) => !note.startsWith("note: ")) };
}

const spc = (metadata: object) => ({
  apiVersion: "secrets-store.csi.x-k8s.io/v1",
  kind: "SecretProviderClass",
  metadata: { name: "web", namespace: "shop", ...metadata },
  spec: {
    provider: "azure",
    parameters: { keyvaultName: "shop-prod", tenantID: "t", objects: "array:\n  - |\n    objectName: token\n    objectType: secret\n" },
  },
});

const store = {
  apiVersion: "external-secrets.io/v1",
  kind: "SecretStore",
  metadata: { name: "vault" },
  spec: {
    provider: { azurekv: { authType: "ManagedIdentity", tenantId: "t", vaultUrl: "https://shop-prod.vault.azure.net" } },
  },
};

const externalSecret = (metadata: object, template?: object) => ({
  apiVersion: "external-secrets.io/v1",
  kind: "ExternalSecret",
  metadata: { name: "login", ...metadata },
  spec: {
    secretStoreRef: { name: "vault" },
    target: template === undefined ? {} : { template },
    data: [{ secretKey: "token", remoteRef: { key: "token" } }],
  },
});

const keyVaultSecret = (metadata: object) => ({
  apiVersion: "spv.no/v2beta1",
  kind: "AzureKeyVaultSecret",
  metadata: { name: "login", ...metadata },
  spec: {
    vault: { name: "shop-prod", object: { name: "token", type: "secret" } },
    output: { secret: { name: "login", dataKey: "token" } },
  },
});

const OWNER = { apiVersion: "secret-sync.x-k8s.io/v1alpha1", kind: "AKVSync", name: "shop", uid: "0d0d0d0d-1111-2222-3333-444444444444" };
const OF_SERVER = {
  uid: "0e0e0e0e-1111-2222-3333-444444444444",
  resourceVersion: "12",
  generation: 2,
  creationTimestamp: "2026-01-01T00:00:00Z",
  deletionTimestamp: "2026-01-02T00:00:00Z",
  deletionGracePeriodSeconds: 0,
  finalizers: ["example.com/hold"],
  generateName: "web-",
  selfLink: "/apis",
  managedFields: [{ manager: "akvsync" }],
  ownerReferences: [OWNER],
};

describe("a class that was read from a cluster", () => {
  test("A1: keeps of its metadata what its author wrote, and nothing that ties it to an owner or a deletion", async () => {
    const authors = { labels: { team: "payments" }, annotations: { "keyvault-injector.dev/sync": "always" } };
    const { classes } = await converted([spc({ ...OF_SERVER, ...authors })]);

    assert.deepEqual(classes[0].metadata, { name: "web", namespace: "shop", ...authors });
  });

  test("A1: is warned about where the one in the cluster still goes with its owner, or is going", async () => {
    const { code, notes } = await converted([spc(OF_SERVER)]);

    assert.equal(code, 0);
    assert.deepEqual(
      notes.map((note) => note.replace(/^standard input:\d+: /, "")),
      [
        "SecretProviderClass/web: warning: metadata.ownerReferences is omitted, but the class in the cluster still has it: delete AKVSync shop with --cascade=orphan, or the class is deleted as well",
        "SecretProviderClass/web: warning: metadata.deletionTimestamp is omitted: the class in the cluster is being deleted; apply this class after that",
      ],
    );
  });
});

const INSTANCE = { "app.kubernetes.io/instance": "shop", "app.kubernetes.io/name": "login" };
const LEFT_OUT =
  "[app.kubernetes.io/instance] is omitted: Argo CD, if it tracks by label, would prune a Secret that has the label but no owner; also remove the label from the existing Secret";

describe("the label by which Argo CD tracks what an app holds", () => {
  for (const [of, objects, field] of [
    ["an ExternalSecret", [store, externalSecret({ labels: INSTANCE })], "ExternalSecret/login: warning: metadata.labels"],
    [
      "the template of an ExternalSecret",
      [store, externalSecret({}, { metadata: { labels: INSTANCE } })],
      "ExternalSecret/login: warning: spec.target.template.metadata.labels",
    ],
    ["an AzureKeyVaultSecret", [keyVaultSecret({ labels: INSTANCE })], "AzureKeyVaultSecret/login: warning: metadata.labels"],
  ] as const) {
    test(`A2: is not carried from ${of} onto a Secret without an owner`, async () => {
      const { code, classes, notes } = await converted(objects, ["--tenant-id", "t"]);

      assert.equal(code, 0);
      assert.deepEqual(classes[0].spec.secretObjects[0].labels, { "app.kubernetes.io/name": "login" });
      assert.deepEqual(
        notes.map((note) => note.replace(/^standard input:\d+: /, "")),
        [`${field}${LEFT_OUT}`],
      );
    });
  }

  test("is carried as an annotation, which means nothing to Argo CD", async () => {
    const { classes, notes } = await converted([store, externalSecret({ annotations: INSTANCE })]);

    assert.deepEqual([classes[0].spec.secretObjects[0].annotations, notes], [INSTANCE, []]);
  });
});

describe("the label that makes a Secret one of Argo CD's repositories or clusters", () => {
  const metadata = { labels: { "argocd.argoproj.io/secret-type": "repository", team: "payments" } };
  const error =
    "ExternalSecret/login: error: spec.target.template.metadata.labels[argocd.argoproj.io/secret-type]: a class cannot set it, and without it Argo CD does not read the Secret; keep this object";

  test("A8: is an error, and the Secret is not converted", async () => {
    const { code, classes, notes } = await converted([store, externalSecret({}, { metadata })]);

    assert.deepEqual([code, classes], [1, []]);
    assert.deepEqual(
      notes.map((note) => note.replace(/^standard input:\d+: /, "")),
      [error],
    );
  });

  test("A8: is an error with --partial as well, which makes the Secret without it", async () => {
    const { code, classes } = await converted([store, externalSecret({}, { metadata })], ["--partial"]);

    assert.equal(code, 1);
    assert.deepEqual(classes[0].spec.secretObjects[0].labels, { team: "payments" });
  });
});
