/** Classes of other providers, which keyvault-injector ignores: no command may describe them as classes of Azure. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Explanation } from "../../src/cli/explain/explanation.ts";
import type { ObjectRef, Resource } from "../../src/domain/kubernetes.ts";
import { classWarnings } from "../../src/domain/preflight/class-warnings.ts";
import { WRITTEN_KEYS } from "../../src/domain/written-keys.ts";
import { runOffline } from "../support/cli/cli.ts";
import { heldCluster } from "../support/cli/held-cluster.ts";
import type { Manifest } from "../support/cluster/shipped-manifests.ts";
import { csiDriver } from "../support/fixtures/csi-driver.ts";
import { prefixed } from "../support/fixtures/pods.ts";
import { usedPod } from "../support/fixtures/used-objects.ts";

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
  const pod = usedPod("web-1", {
    started: 1,
    container: { volumeMounts: [{ name: "secrets", mountPath: "/mnt" }] },
    volumes: [{ name: "secrets", csi }],
  });
  return { ...pod, metadata: { ...pod.metadata, annotations } };
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

/** Runs the command. Also returns `PLURAL NAME` of every object that it annotated. */
async function refreshed(objects: readonly Manifest[], ...args: readonly string[]) {
  const written: string[] = [];
  const cluster = heldCluster([...objects, ...csiDriver()]);
  Object.assign(cluster.kube, {
    mergePatch: async ({ plural }: Resource, { name }: ObjectRef) => {
      written.push(`${plural} ${name}`);
      return {};
    },
  });
  const { code, output, notes } = await runOffline(["refresh", "web", "-n", "shop", ...args], "", { cluster });
  return { code, output, notes, written };
}

const REFRESHED = prefixed({ refresh: "2026-01-01T00:00:00Z" });

describe("ST4: refresh of a class of another provider", () => {
  for (const provider of OTHERS) {
    test(`does not annotate the class, and says why: ${provider}`, async () => {
      const { code, output, notes, written } = await refreshed([classOf(provider), podOf()]);

      assert.deepEqual([code, notes, written], [0, [], ["pods web-1"]]);
      assert.match(
        output,
        new RegExp(`^ {2}the class was not annotated: its provider is "${provider}", so keyvault-injector ignores it$`, "m"),
      );
      assert.match(output, /^ {2}annotated 1 pod, so that its kubelet syncs it now$/m);
      assert.doesNotMatch(output, /has no Secrets|nothing updates its Secrets/);
    });
  }

  test("does not wait for the worker, which does not answer", async () => {
    const { code, output } = await refreshed([classOf("aws"), podOf()], "--wait", "-o", "json");
    const { answer, isAnswered } = JSON.parse(output);

    assert.deepEqual([code, isAnswered, answer.kind], [1, false, "ignored"]);
    assert.match(answer.message, /its provider is "aws"/);
  });

  test("annotates a class of Azure", async () => {
    assert.deepEqual((await refreshed([classOf("azure"), podOf()])).written, ["secretproviderclasses web", "pods web-1"]);
  });

  test("leaves no annotation by which a class of another provider counts as broken", async () => {
    const { code, first } = await explained("spc/web", [classOf("aws", REFRESHED)]);
    const { notes } = await runOffline(["render", "-f", "-", "--offline"], JSON.stringify(classOf("aws", REFRESHED)));

    assert.deepEqual([code, first.verdict.reason, notes], [0, "OtherProvider", []]);
  });

  test("takes no annotation that this project writes itself for the author's intent", () => {
    for (const written of WRITTEN_KEYS.classes.annotations) {
      assert.deepEqual(classWarnings(classOf("vault", { [written]: "now" }), { cloudName: "AzurePublicCloud" }), [], written);
    }
  });
});

describe("doctor of a class of another provider", () => {
  const doctored = (provider: string, ...args: readonly string[]) =>
    runOffline(["doctor", ...args], "", { cluster: heldCluster([classOf(provider)]) });

  for (const provider of ["Azure", "azur"]) {
    test(`fails where the author meant azure: ${JSON.stringify(provider)}`, async () => {
      const { code, output } = await doctored(provider, "class", "shop/web", "--no-vaults");

      assert.equal(code, 1, output);
      assert.match(output, /FAIL {2}class {7}class-invalid: spec\.provider is "azure?": write "azure"/i);
    });
  }

  test("is well where another is meant", async () => {
    const { code, output } = await doctored("gcp", "class", "shop/web", "--no-vaults");

    assert.equal(code, 0, output);
    assert.match(output, /OK {4}class {7}provider gcp: keyvault-injector ignores the class/);
  });

  test("plans nothing for it, and does not say that there are no classes", async () => {
    const { code, output } = await doctored("gcp", "plan");

    assert.equal(code, 0, output);
    assert.match(output, /^1 class, of another provider: keyvault-injector ignores it$/m);
    assert.doesNotMatch(output, /no classes/);
  });
});
