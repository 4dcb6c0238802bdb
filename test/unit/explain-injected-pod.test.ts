import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { runOffline } from "../support/cli/cli.ts";
import { heldCluster } from "../support/cli/held-cluster.ts";
import type { Manifest } from "../support/cluster/shipped-manifests.ts";
import { aPod } from "../support/fixtures/pods.ts";
import { classVolume, usedClass } from "../support/fixtures/used-objects.ts";

const CLASS = usedClass("shop", { objects: ["secret/db-pass"], secrets: { db: { PASSWORD: "db-pass" } } });
const NAMESPACE: Manifest = { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } };
const ASKED = { inject: "true", "secret-provider-class": "shop", "credentials-secret": "none", "env-from": "db" };
const OWN = { containers: [{ name: "app", envFrom: [{ secretRef: { name: "db" } }] }], volumes: [classVolume("shop", "mine")] };

/** Returns what explain says of the volumes and environment of a running pod with this spec before injection. */
async function said(spec: object, owner?: "ReplicaSet"): Promise<readonly string[]> {
  const given = aPod(ASKED, { ...spec });
  const [injected] = JSON.parse((await runOffline(["render", "-f", "-", "-o", "json"], JSON.stringify(given))).output).items;
  const ownerReferences = owner && [{ kind: owner, apiVersion: "apps/v1", name: "shop-1", uid: "u", controller: true }];
  const pod: Manifest = { ...injected, metadata: { ...injected.metadata, name: "shop-1-a", namespace: "shop", ownerReferences } };
  const set = { metadata: { name: "shop-1", namespace: "shop" }, spec: { template: { metadata: given["metadata"], spec: given["spec"] } } };
  const cluster = heldCluster([NAMESPACE, CLASS, pod, { apiVersion: "apps/v1", kind: "ReplicaSet", ...set }]);
  const { output } = await runOffline(["explain", "pod/shop-1-a", "-n", "shop", "-o", "json"], "", { cluster });
  const [{ steps }] = JSON.parse(output).explanations;
  return steps
    .filter(({ topic }: { topic: string }) => ["volume", "env-from"].includes(topic))
    .map(({ message }: { message: string }) => message);
}

describe("NB4: explain, of a pod that exists", () => {
  const plain = { containers: [{ name: "app" }] };

  test("says that injection added what the owner's template lacks", async () => {
    assert.deepEqual(await said(plain, "ReplicaSet"), [
      "volume secrets-store-inline (added by injection) mounts class shop, no credentials reference",
      "container app takes its environment from Secret db (added by injection)",
    ]);
  });

  test("calls the pod's own what the owner's template has, although injection uses it", async () => {
    assert.deepEqual(await said(OWN, "ReplicaSet"), ["volume mine (the pod's own) mounts class shop, no credentials reference"]);
  });

  test("says only that injection uses it, if no template tells who added it", async () => {
    assert.deepEqual(await said(plain), [
      "volume secrets-store-inline (used by injection) mounts class shop, no credentials reference",
      "container app takes its environment from Secret db (used by injection)",
    ]);
  });
});
