import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { INJECTED_LABEL, POD_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { aPod, OPTED_IN } from "../support/fixtures/pods.ts";
import { decidePod, injectedPod } from "../support/webhook/decide-pod.ts";

// Good practices that every patch keeps: see docs/evidence/good-practices.md.

/** Fields that no version of Kubernetes has yet. The pod below has fields that others set, and these fields in each of its parts. */
const LATER = { fieldOfALaterKubernetes: { a: [1, null, { b: "ü" }] } };
const filled = {
  ...aPod(OPTED_IN),
  metadata: {
    name: "app",
    labels: { app: "web", "example.com/tier": "front" },
    annotations: { ...Object(aPod(OPTED_IN)["metadata"]).annotations, "example.com/note": "kept" },
    ...LATER,
  },
  spec: {
    volumes: [
      { name: "one", emptyDir: {}, ...LATER },
      { name: "two", configMap: { name: "c" } },
    ],
    initContainers: [{ name: "sidecar", image: "s:1", restartPolicy: "Always", ...LATER }],
    containers: [
      { name: "app", image: "app:1", volumeMounts: [{ name: "one", mountPath: "/one", ...LATER }], resources: { claims: [] }, ...LATER },
      { name: "log", image: "log:1", env: [{ name: "A", value: "b" }] },
    ],
    ...LATER,
  },
  status: LATER,
};

interface Item {
  readonly name: string;
  readonly volumeMounts?: readonly { readonly mountPath: string }[];
}

describe("a patch", () => {
  test("adds what was asked for and nothing else", () => {
    const decision = decidePod(aPod(OPTED_IN));
    assert.ok(decision.kind === "patched");

    assert.deepEqual(decision.patch.map(({ op, path }) => `${op} ${path}`).sort(), [
      `add /metadata/annotations/${POD_ANNOTATIONS.status.replace("/", "~1")}`,
      "add /metadata/labels",
      "add /spec/containers/0/volumeMounts",
      "add /spec/volumes",
    ]);
    const [volume] = injectedPod(aPod(OPTED_IN)).spec.volumes;
    assert.deepEqual(Object.keys(volume ?? {}).sort(), ["csi", "name"]);
    assert.deepEqual(Object.keys(volume?.csi ?? {}).sort(), ["driver", "nodePublishSecretRef", "readOnly", "volumeAttributes"]);
  });

  test("keeps every item of lists that others filled, in their order", () => {
    const { spec } = injectedPod(filled);

    assert.deepEqual(
      spec.volumes.map(({ name }) => name),
      ["one", "two", "secrets-store-inline"],
    );
    assert.deepEqual(
      spec.containers.map(({ name }) => name),
      ["app", "log"],
    );
    const mounts = spec.containers.map(({ volumeMounts = [] }: Item) => volumeMounts.map(({ mountPath }) => mountPath));
    assert.deepEqual(mounts, [["/one", "/mnt/secrets-store"], ["/mnt/secrets-store"]]);
  });

  test("keeps every label and annotation that others wrote", () => {
    const { metadata } = injectedPod(filled);

    assert.deepEqual(metadata.labels, { ...filled.metadata.labels, [INJECTED_LABEL]: "true" });
    const { [POD_ANNOTATIONS.status]: status, ...others } = metadata.annotations;
    assert.ok(status);
    assert.deepEqual(others, filled.metadata.annotations);
  });

  test("leaves fields of a later Kubernetes as they are, in every part of a pod", () => {
    const text = (pod: unknown): number => JSON.stringify(pod).split(JSON.stringify(LATER.fieldOfALaterKubernetes)).length - 1;

    assert.equal(text(filled), 7);
    assert.equal(text(injectedPod(filled)), 7);
    assert.equal(Object(injectedPod(filled).spec.initContainers?.[0]).restartPolicy, "Always");
  });

  test("is empty for a pod that was patched already", () => {
    const decision = decidePod(injectedPod(filled));
    assert.deepEqual([decision.kind, decision.reason], ["unchanged", "AlreadyInjected"]);
  });
});
