import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { runOffline } from "../support/cli/cli.ts";
import { heldCluster } from "../support/cli/held-cluster.ts";
import { aPod } from "../support/fixtures/pods.ts";
import { usedClass } from "../support/fixtures/used-objects.ts";

const NAMESPACE = { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } };
const POD = aPod({ inject: "true", "secret-provider-class": "web" });

const WEBHOOK = {
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: "MutatingWebhookConfiguration",
  metadata: { name: "keyvault-injector" },
  webhooks: [{ name: "pods.keyvault-injector.dev", clientConfig: {} }],
};

/** Returns the output for files whose objects are to be created in the namespace `shp`, and the notes. */
async function ran(command: "explain" | "render", ...objects: readonly unknown[]): Promise<{ output: string; notes: string }> {
  const input = objects.map((object) => JSON.stringify(object)).join("\n");
  const cluster = heldCluster([NAMESPACE, WEBHOOK, usedClass("web", { objects: ["secret/a"] })]);
  const { output, notes } = await runOffline([command, "-f", "-", "-n", "shp"], input, { cluster });
  return { output, notes: notes.join("\n") };
}

const ABSENT = "namespace shp does not exist; did you mean shop?";

describe("NB9: files for a namespace that does not exist", () => {
  for (const command of ["explain", "render"] as const) {
    test(`are told with the namespace first by ${command}`, async () => {
      const { notes } = await ran(command, POD);
      assert.equal(notes.split("\n")[0], `warning: ${ABSENT} Create it first, or correct -n`, notes);
    });

    test(`are not, if the files create it: ${command}`, async () => {
      const { notes } = await ran(command, { ...NAMESPACE, metadata: { name: "shp" } }, POD);
      assert.doesNotMatch(notes, /namespace shp/);
    });
  }

  test("make explain give the namespace as the cause, not the name of the class", async () => {
    const { output } = await ran("explain", POD);
    const said = "SecretProviderClass web does not exist, because namespace shp does not exist";
    assert.ok(output.includes(`  PROBLEM  class        ${said}\n`), output);
  });

  test("do not make explain say that the Namespace cannot be read", async () => {
    const { output } = await ran("explain", POD);
    assert.match(output, /^ {2}unknown {2}webhook {6}namespace shp does not exist yet, and may be excluded$/m);
  });
});
