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
        "SecretProviderClass/web: warning: metadata.ownerReferences is left out, and the class in the cluster still has it: delete AKVSync shop with --cascade=orphan, or the class goes with it",
        "SecretProviderClass/web: warning: metadata.deletionTimestamp is left out: the class in the cluster is being deleted; apply this one once that one is gone",
      ],
    );
  });
});
