import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { DoctorContext } from "../../src/cli/doctor/checks/check.ts";
import { checkClasses } from "../../src/cli/doctor/checks/classes.ts";
import { mistakesOn } from "../../src/cli/doctor/checks/namespace-keys.ts";
import { runOffline } from "../support/cli/cli.ts";
import { heldCluster } from "../support/cli/held-cluster.ts";
import type { Manifest } from "../support/cluster/shipped-manifests.ts";
import { aPod } from "../support/fixtures/pods.ts";
import { selfSignedCertificate } from "../support/fixtures/serving-certificate.ts";
import { usedClass } from "../support/fixtures/used-objects.ts";
import { holding } from "../support/worker/held-objects.ts";

const P = "keyvault-injector.dev";
const shop = (metadata: object = {}): Manifest => ({ apiVersion: "v1", kind: "Namespace", metadata: { name: "shop", ...metadata } });
const reported = (metadata: object) => mistakesOn(shop(metadata)).map(({ message, fix = "" }) => `${message}: ${fix}`);

describe("NV6: doctor, of a key on a Namespace that belongs elsewhere", () => {
  for (const [metadata, fix] of [
    [{ annotations: { [`${P}/inject`]: "true" } }, `its annotation "${P}/inject" has no effect: write it on a workload's pod template`],
    [
      { labels: { [`${P}/inject`]: "true" } },
      `its label "${P}/inject" has no effect: write it as an annotation on a workload's pod template`,
    ],
    [{ annotations: { [`${P}/refresh`]: "1" } }, `its annotation "${P}/refresh" has no effect: write it on the SecretProviderClass`],
    [{ labels: { [`${P}/sync`]: "never" } }, `its label "${P}/sync" has no effect: write it as an annotation on the SecretProviderClass`],
  ] as const) {
    test(`says where: ${JSON.stringify(metadata)}`, () => assert.deepEqual(reported(metadata), [`Namespace shop: ${fix}`]));
  }

  test("says nothing of what is a default for its pods", () => {
    assert.deepEqual(
      reported({ annotations: { [`${P}/secret-provider-class`]: "a", [`${P}/credentials-secret`]: "b", [`${P}/restart-paused`]: "true" } }),
      [],
    );
  });
});

describe("NV6: explain of a pod", () => {
  const explained = async (pod: object, ...objects: readonly Manifest[]) =>
    (
      await runOffline(["explain", "pod/web-1"], "", {
        cluster: heldCluster([
          { ...pod, metadata: { ...(pod as Manifest).metadata, name: "web-1", namespace: "shop" } } as Manifest,
          ...objects,
        ]),
      })
    ).output;

  test("whose Namespace asks for injection in its place says where that belongs", async () => {
    for (const metadata of [{ annotations: { [`${P}/inject`]: "true" } }, { labels: { [`${P}/inject`]: "true" } }]) {
      const output = await explained(aPod({}), shop(metadata));
      assert.match(
        output.split("\n")[1] ?? "",
        /^ {2}keyvault-injector\.dev\/inject on Namespace shop has no effect: annotate the pod template of the workload, or the pod before it is created$/,
      );
    }
    assert.doesNotMatch(await explained(aPod({}), shop()), /Namespace shop has no effect/);
  });

  const webhook = {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    metadata: { name: "keyvault-injector" },
    webhooks: [
      {
        name: "pods.keyvault-injector.dev",
        rules: [{ apiGroups: [""], operations: ["CREATE"], resources: ["pods"] }],
        clientConfig: { caBundle: btoa(selfSignedCertificate("ca", ["ca.example"]).cert) },
      },
    ],
  } as unknown as Manifest; // As stored.

  test("that was annotated after its workload made it says that the template is the place", async () => {
    const pod = aPod({ inject: "true", "secret-provider-class": "a" });
    const owned = {
      ...pod,
      metadata: { ...(pod["metadata"] as object), ownerReferences: [{ kind: "ReplicaSet", name: "web-5d", controller: true }] },
    };
    const more = [webhook, shop(), usedClass("a", { objects: ["secret/a"] })];

    assert.match(
      await explained(owned, ...more),
      /was created without it: restart the workload that owns ReplicaSet web-5d, or write the annotations on its pod template if they are missing there$/m,
    );
    assert.match(await explained(pod, ...more), /was created without it: recreate it$/m);
  });
});

describe("NV7: refresh, and what else belongs on a class,", () => {
  const spc = usedClass("web", { objects: ["secret/a"], secrets: { app: { a: "a" } } });
  const status = (metadata: object = {}): Manifest =>
    ({
      apiVersion: "keyvault-injector.dev/v1alpha1",
      kind: "SecretProviderClassSync",
      metadata: { namespace: "shop", name: "web", ...metadata },
      status: {
        observedGeneration: 1,
        observedClassGeneration: 1,
        conditions: [{ type: "Synced", status: "True", reason: "Synced", message: "" }],
        secrets: [{ name: "app", state: "Synced", data: [] }],
      },
    }) satisfies Manifest;
  const secret = (metadata: object = {}): Manifest => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { namespace: "shop", name: "app", ...metadata },
  });
  /** What doctor says of classes. */
  const checked = async (...objects: readonly Manifest[]) => {
    const context = { viewer: holding(objects), namespace: "keyvault-injector" } as unknown as DoctorContext; // All that is asked for.
    return (await checkClasses(context)).map(({ state, message, fix }) => [state, `${message}: ${fix ?? ""}`]);
  };
  const refresh = { annotations: { [`${P}/refresh`]: "now" } };
  const said = `annotation "${P}/refresh" has no effect: write it on SecretProviderClass shop/web`;

  test("on its status is told by doctor", async () => {
    assert.deepEqual(await checked(spc, status(refresh)), [["WARN", `SecretProviderClassSync shop/web: its ${said}`]]);
  });

  for (const [what, objects] of [
    ["SecretProviderClassSync web", [status(refresh), secret()]],
    ["Secret app", [status(), secret(refresh)]],
  ] as const) {
    test(`on its ${what} is told by explain`, async () => {
      const { output } = await runOffline(["explain", "spc/web"], "", { cluster: heldCluster([shop(), spc, ...objects]) });
      assert.match(output, new RegExp(`^ {2}warning +\\S+ +${what}: its ${said}$`, "m"));
    });
  }

  const labelled = { labels: { [`${P}/refresh`]: "now" } };
  const saidOfLabel = `label "${P}/refresh" has no effect: write it as an annotation on SecretProviderClass shop/web`;

  test("NW-L2: as a label is called one", async () => {
    const { output } = await runOffline(["explain", "spc/web"], "", {
      cluster: heldCluster([shop(), spc, status(labelled), secret(labelled)]),
    });
    const results = await checked(spc, status(labelled));

    assert.match(output, new RegExp(`^ {2}warning +sync +SecretProviderClassSync web: its ${saidOfLabel}$`, "m"));
    assert.match(output, new RegExp(`^ {2}warning +secret +Secret app: its ${saidOfLabel}$`, "m"));
    assert.deepEqual(results, [["WARN", `SecretProviderClassSync shop/web: its ${saidOfLabel}`]]);
  });

  test("NW-L3: is no mistake where the class has it, too", async () => {
    const annotated = { ...spc, metadata: { ...spc.metadata, ...refresh } };
    const objects = [shop(), annotated, status(refresh), secret(labelled)];
    const { output } = await runOffline(["explain", "spc/web"], "", { cluster: heldCluster(objects) });

    assert.doesNotMatch(output, /has no effect/);
    assert.deepEqual(
      (await checked(annotated, status(refresh))).map(([state]) => state),
      ["OK"],
    );
  });

  test("on the class itself is right", async () => {
    const annotated = { ...spc, metadata: { ...spc.metadata, ...refresh } };
    const { output } = await runOffline(["explain", "spc/web"], "", { cluster: heldCluster([shop(), annotated, status(), secret()]) });
    assert.doesNotMatch(output, /has no effect/);
  });
});
