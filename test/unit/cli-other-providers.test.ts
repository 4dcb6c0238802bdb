/** Classes of other providers, which keyvault-injector ignores: no command may describe them as classes of Azure. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Explanation } from "../../src/cli/explain/explanation.ts";
import { runOffline } from "../support/cli/cli.ts";
import { heldCluster } from "../support/cli/held-cluster.ts";
import type { Manifest } from "../support/cluster/shipped-manifests.ts";
import { prefixed } from "../support/fixtures/pods.ts";

const OTHERS = ["aws", "gcp", "vault", "openbao", "akeyless"];

function classOf(provider: string, annotations: Readonly<Record<string, string>> = {}): Manifest {
  return {
    apiVersion: "secrets-store.csi.x-k8s.io/v1",
    kind: "SecretProviderClass",
    metadata: { name: "web", namespace: "shop", annotations },
    spec: {
      provider,
      parameters: { objects: "- objectName: db\n  objectType: secretsmanager\n", region: "eu-west-1" },
      secretObjects: [{ secretName: "db", type: "Opaque", data: [{ objectName: "db", key: "password" }] }],
    },
  };
}

/** A pod that mounts the class, with the token of the other provider. */
function podOf(annotations: Readonly<Record<string, string>> = {}): Manifest {
  const csi = {
    driver: "secrets-store.csi.k8s.io",
    readOnly: true,
    volumeAttributes: { secretProviderClass: "web" },
    nodePublishSecretRef: { name: "token-of-the-other" },
  };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web-1", namespace: "shop", annotations },
    spec: { containers: [{ name: "app", image: "app:1" }], volumes: [{ name: "secrets", csi }] },
  };
}

const TOKEN: Manifest = { apiVersion: "v1", kind: "Secret", metadata: { name: "token-of-the-other", namespace: "shop" } };

async function explained(what: string, objects: readonly Manifest[]): Promise<{ code: number; first: Explanation; topics: Set<string> }> {
  const { code, output } = await runOffline(["explain", what, "-n", "shop", "-o", "json"], "", { cluster: heldCluster(objects) });
  const [first]: Explanation[] = JSON.parse(output).explanations;
  assert.ok(first !== undefined, output);
  return { code, first, topics: new Set(first.steps.map(({ topic }) => topic)) };
}

describe("ST3: explain of a class of another provider", () => {
  for (const provider of OTHERS) {
    test(`says nothing of an identity or of credentials: ${provider}`, async () => {
      const { code, first, topics } = await explained("spc/web", [classOf(provider), podOf()]);

      assert.deepEqual([code, first.verdict.reason], [0, "OtherProvider"]);
      assert.deepEqual([topics.has("identity"), topics.has("credentials")], [false, false]);
      assert.doesNotMatch(JSON.stringify(first), /secrets-store-creds|token-of-the-other|service principal/);
    });
  }

  test("says none of it for a file, either", async () => {
    const { code, output } = await runOffline(["explain", "-f", "-", "--offline"], JSON.stringify(classOf("aws")));

    assert.equal(code, 0);
    assert.match(output, /OtherProvider/);
    assert.doesNotMatch(output, /identity|credentials/);
  });

  test("keeps both for a class of Azure", async () => {
    const { code, topics } = await explained("spc/web", [classOf("azure")]);

    assert.deepEqual([code, topics.has("identity"), topics.has("credentials")], [1, true, true]);
  });

  test("does not check the Secret that a pod's volume gives to the other provider", async () => {
    const asking = prefixed({ inject: "true", "secret-provider-class": "web", "credentials-secret": "token-of-the-other" });
    const [other, ours] = await Promise.all(
      ["vault", "azure"].map((provider) => explained("pod/web-1", [classOf(provider), podOf(asking), TOKEN])),
    );

    assert.deepEqual([other?.topics.has("identity"), other?.topics.has("credentials")], [false, false]);
    assert.doesNotMatch(JSON.stringify(other?.first), /clientid/);
    assert.match(JSON.stringify(ours?.first), /Secret token-of-the-other has no clientid/);
  });
});
