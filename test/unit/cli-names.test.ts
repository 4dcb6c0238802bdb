import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { targetResource } from "../../src/cli/shared/resources.ts";
import { runOffline } from "../support/cli/cli.ts";
import { heldCluster } from "../support/cli/held-cluster.ts";
import type { Manifest } from "../support/cluster/shipped-manifests.ts";
import { aClass, aPod } from "../support/fixtures/pods.ts";

const namespace = (name: string): Manifest => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } });

/** A class with no Secrets. */
function classIn(of: string, name: string): Manifest {
  const metadata = { namespace: of, name };
  return Object.assign({ ...aClass() }, { apiVersion: "secrets-store.csi.x-k8s.io/v1", kind: "SecretProviderClass", metadata });
}

const DEPLOYMENT: Manifest = Object.assign(
  { apiVersion: "apps/v1", kind: "Deployment", spec: { template: aPod({}) } },
  { metadata: { namespace: "shop", name: "web" } },
);

const shop = (unserved: readonly string[] = []) =>
  heldCluster([namespace("shop"), namespace("empty"), classIn("shop", "akvprovider-demo"), DEPLOYMENT], unserved);

describe("N3: what kubectl prints of an object", () => {
  for (const [word, kind] of [
    ["deployment.apps", "Deployment"],
    ["deployments.v1.apps", "Deployment"],
    ["Job.batch", "Job"],
    ["secretproviderclass.secrets-store.csi.x-k8s.io", "SecretProviderClass"],
    ["secretproviderclasssync.keyvault-injector.dev", "SecretProviderClass"],
    ["spcsync", "SecretProviderClass"],
    ["deployment.batch", undefined],
    ["deployment.", undefined],
    ["pod.json", undefined],
  ] as const) {
    test(`names a kind with its group: ${word}`, () => assert.equal(targetResource(word)?.kind, kind));
  }

  for (const [word, object] of [
    ["deployment.apps/web", "deployment/web"],
    ["secretproviderclass.secrets-store.csi.x-k8s.io/akvprovider-demo", "secretproviderclass/akvprovider-demo"],
    ["spcsync/akvprovider-demo", "secretproviderclass/akvprovider-demo"],
  ] as const) {
    test(`is what explain takes: ${word}`, async () => {
      const { output, notes } = await runOffline(["explain", word], "", { cluster: shop() });

      assert.deepEqual(notes, []);
      assert.ok(output.startsWith(`${object} in namespace shop: `), output);
    });

    if (object.startsWith("secretproviderclass")) {
      test(`is what doctor class takes: ${word}`, async () => {
        const { output } = await runOffline(["doctor", "class", word, "--no-vaults"], "", { cluster: shop() });

        assert.match(output, /^class shop\/akvprovider-demo\n/);
      });
    }
  }

  test("N26: is answered by the kind's own name, and by what to write, where it is not there", async () => {
    const { code, notes } = await runOffline(["explain", "po/gone"], "", { cluster: shop() });

    assert.deepEqual(
      [code, notes],
      [2, ["keyvault-injector explain: there is no Pod gone in namespace shop; name another namespace with -n"]],
    );
  });
});
