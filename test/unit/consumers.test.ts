/** Pods as the worker holds them. A user who may create pods in a namespace can write any text of up to a megabyte into a volume. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { KubeObject } from "../../src/domain/kubernetes.ts";
import { hasLiveConsumer, startConsumers } from "../../src/sync/classes/consumers.ts";
import { toldCopies } from "../support/worker/reported-copies.ts";

interface Mount {
  readonly className: string;
  readonly credentialsSecret?: string;
}

function podOf(name: string, mounts: readonly Mount[]): KubeObject {
  const volumes = mounts.map(({ className, credentialsSecret }) => ({
    csi: {
      driver: "secrets-store.csi.k8s.io",
      volumeAttributes: { secretProviderClass: className },
      ...(credentialsSecret === undefined ? {} : { nodePublishSecretRef: { name: credentialsSecret } }),
    },
  }));
  return { apiVersion: "v1", kind: "Pod", metadata: { namespace: "team", name }, spec: { volumes } } as KubeObject; // The object is a Pod.
}

function watched() {
  const { watcher, report, tellGone, held } = toldCopies();
  const options = { watcher, onUseChanged: () => undefined, onIdentitiesChanged: () => undefined };
  const consumers = startConsumers(options, new AbortController().signal);
  return { consumers, report, tellGone, size: () => JSON.stringify(held()).length };
}

describe("what is held of a pod", () => {
  test("A18-19: is no name that no object can have", () => {
    const { consumers, report, size } = watched();
    const long = "x".repeat(500_000);
    report(podOf("long", [{ className: long }, { className: "app", credentialsSecret: long }]));

    assert.ok(size() < 1_000, `${size()} characters of a million`);
    assert.ok(consumers.isUsed("team/app"));
    assert.deepEqual(consumers.credentialsSecretsOf("team/app"), []);
  });

  test("A18-19: is each class once, however often it mounts it, and all of them", () => {
    const { consumers, report, tellGone, size } = watched();
    const same = podOf(
      "same",
      Array.from({ length: 10_000 }, () => ({ className: "app" })),
    );
    report(same);
    assert.ok(size() < 200, `${size()} characters`);
    tellGone(same);
    assert.ok(!consumers.isUsed("team/app"));

    report(
      podOf(
        "many",
        Array.from({ length: 1_000 }, (_, index) => ({ className: `app-${index}` })),
      ),
    );
    assert.ok(consumers.isUsed("team/app-999"), "a class that a pod mounts is in use, whatever else the pod mounts");
  });

  test("A18-19: is one volume of the class, where the API server is asked right before a Secret is taken", async () => {
    const mounts = Array.from({ length: 10_000 }, (_, index) => ({ className: `app-${index}` }));
    const sizes: number[] = [];
    const list = async (_: unknown, { keep = (pod: KubeObject) => pod }: { readonly keep?: (pod: KubeObject) => KubeObject }) => {
      const kept = keep(podOf("many", mounts));
      sizes.push(JSON.stringify(kept).length);
      return [kept];
    };
    const kube = { list } as unknown as Parameters<typeof hasLiveConsumer>[0]; // The function only lists pods.
    const { signal } = new AbortController();

    assert.ok(await hasLiveConsumer(kube, { namespace: "team", name: "app-9999" }, signal));
    assert.ok(!(await hasLiveConsumer(kube, { namespace: "team", name: "other" }, signal)));
    assert.ok(
      sizes.every((size) => size < 500),
      sizes.join(),
    );
  });
});
