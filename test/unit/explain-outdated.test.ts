import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { runOffline } from "../support/cli/cli.ts";
import { heldCluster } from "../support/cli/held-cluster.ts";
import type { Manifest } from "../support/cluster/shipped-manifests.ts";
import { usedClass } from "../support/fixtures/used-objects.ts";

const namespace: Manifest = { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } };
const spc = usedClass("web", { objects: ["secret/a"], secrets: { app: { a: "a" } } });
const broken = usedClass("web", { objects: ["secret/a"], secrets: { app: { a: "other" } } });
const atGeneration = (object: Manifest, generation: number): Manifest => ({
  ...object,
  metadata: { ...object.metadata, generation } as Manifest["metadata"],
}); // The API server stores it in this form.
const status = {
  apiVersion: "keyvault-injector.dev/v1alpha1",
  kind: "SecretProviderClassSync",
  metadata: { namespace: "shop", name: "web" },
  status: {
    observedGeneration: 1,
    observedClassGeneration: 1,
    conditions: [{ type: "Synced", status: "True", reason: "Synced", message: "1 of 1 Secrets are synced" }],
    secrets: [{ name: "app", state: "Synced", data: [] }],
  },
} satisfies Manifest;

/** The first two lines of the output of explain if the cluster has the class. */
async function headline(live: Manifest, given?: Manifest): Promise<string> {
  const cluster = heldCluster([namespace, live, status]);
  const argv = given === undefined ? ["spc/web"] : ["-f", "-", "-n", "shop"];
  const { output } = await runOffline(["explain", ...argv], given === undefined ? "" : JSON.stringify(given), { cluster });
  return output.split("\n").slice(0, 2).join("\n");
}

describe("the headline of explain", () => {
  test("NW-M3: is a defect of the given text before what the worker says of the class that the cluster has", async () => {
    const said = await headline(spc, broken);

    assert.match(said, /: InvalidClass \(failing\)\n {2}.*other/);
  });

  test("NW-M3: of a class that the worker has not reconciled since it changed is that, and what was said before", async () => {
    assert.equal(
      await headline(atGeneration(spc, 2)),
      "secretproviderclass/web in namespace shop: StatusOutdated (pending)\n  the worker has not reconciled the current class yet; its last status was Synced: 1 of 1 Secrets are synced",
    );
  });

  test("NW-M3: of a class that has got a defect since is the defect", async () => {
    assert.match(await headline(atGeneration(broken, 2)), /: InvalidClass \(failing\)\n {2}.*other/);
  });

  test("is the worker's word on a class as it is, live and given", async () => {
    const synced = "secretproviderclass/web in namespace shop: Synced (mirrored)\n  1 of 1 Secrets are synced";

    assert.equal(await headline(spc), synced);
    assert.equal(await headline(spc, spc), synced);
    // If the worker reports that all is well, identity bindings are switched on.
    const { spec } = spc as unknown as { readonly spec: { readonly parameters: object } }; // `usedClass` makes it in this form.
    const bound = { ...spc, spec: { ...spec, parameters: { ...spec.parameters, clientID: "id", useAzureTokenProxy: "true" } } };
    assert.equal(await headline(bound, bound), synced);
    const parameters = { ...spec.parameters, objects: "array: []", objectSelectors: "app:\n  names: a*\n" };
    const selecting = { ...spc, spec: { ...spec, parameters, secretObjects: [{ secretName: "app", type: "Opaque", data: [] }] } };
    assert.equal(await headline(selecting, selecting), synced);
  });
});
