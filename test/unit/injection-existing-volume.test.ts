import assert from "node:assert/strict";
import { describe, test } from "node:test";
import jsonpatch from "fast-json-patch";
import type { AdmissionDecision } from "../../src/domain/admission/decision.ts";
import { decodeReview } from "../../src/domain/admission/review.ts";
import type { ClassFact } from "../../src/domain/injection/credentials.ts";
import { closeRequest, openRequest } from "../../src/domain/injection/pod-admission.ts";
import { aClass, aPod, aReview, documentPod, documentVolume, OPTED_IN, prefixed } from "../support/fixtures/pods.ts";

const settings = { version: "1.2.3", strictAnnotations: false };
const found: ClassFact = { kind: "found", class: aClass() };
const workloadIdentity: ClassFact = { kind: "found", class: aClass({ clientID: "c" }) };

function decide(pod: unknown, fact: ClassFact = found): AdmissionDecision {
  const review = decodeReview(aReview(pod));
  assert.ok(review.ok);
  const opened = openRequest(review.value, settings);
  return opened.kind === "decided" ? opened.decision : closeRequest(opened.request, new Map([["akvprovider-demo", fact]]), settings);
}

function patchPaths(pod: unknown, fact?: ClassFact): readonly string[] {
  const decision = decide(pod, fact);
  assert.ok(decision.kind === "patched", JSON.stringify(decision));
  return decision.patch.map(({ path }) => path);
}

function denial(pod: unknown, fact?: ClassFact): string {
  const decision = decide(pod, fact);
  assert.ok(decision.kind === "denied", JSON.stringify(decision));
  return `${decision.reason}: ${decision.message}`;
}

const LABEL_AND_STATUS = ["/metadata/annotations/keyvault-injector.dev~1status", "/metadata/labels"];

describe("the document's own pod, opted in", () => {
  test("keeps volumes and mounts, and gets label and status only", () => {
    assert.deepEqual(patchPaths(documentPod(prefixed(OPTED_IN))).toSorted(), LABEL_AND_STATUS);
  });

  test("equals the annotated pod without a volume, once that is injected", () => {
    const bare = { ...documentPod(prefixed(OPTED_IN)), spec: { containers: [{ name: "busybox" }] } };
    const decision = decide(bare);

    assert.ok(decision.kind === "patched");
    const injected: typeof bare & { spec: { volumes?: unknown; containers: { volumeMounts?: unknown }[] } } = jsonpatch.applyPatch(
      structuredClone(bare),
      structuredClone(decision.patch),
    ).newDocument;
    assert.deepEqual(injected.spec.volumes, [documentVolume()]);
    assert.deepEqual(injected.spec.containers[0]?.volumeMounts, [
      { name: "secrets-store-inline", mountPath: "/mnt/secrets-store", readOnly: true },
    ]);
  });
});

describe("an equal volume that the pod already has", () => {
  test("is used under its own name, and only missing mounts are added", () => {
    const pod = aPod(OPTED_IN, {
      containers: [{ name: "has-it", volumeMounts: [{ name: "mine", mountPath: "/elsewhere" }] }, { name: "lacks-it" }],
      volumes: [documentVolume({ name: "mine" })],
    });
    const decision = decide(pod);

    assert.ok(decision.kind === "patched");
    const mounts = decision.patch.filter(({ path }) => path.startsWith("/spec"));
    assert.deepEqual(mounts, [
      { op: "add", path: "/spec/containers/1/volumeMounts", value: [{ name: "mine", mountPath: "/mnt/secrets-store", readOnly: true }] },
    ]);
  });

  test("does for a container that mounts it, when there are two of them", () => {
    const containers = ["one", "two"].map((name) => ({ name, volumeMounts: [{ name, mountPath: "/mnt/secrets-store" }] }));
    const pod = aPod(OPTED_IN, {
      containers: [...containers, { name: "lacks-it" }],
      volumes: ["one", "two"].map((name) => documentVolume({ name })),
    });

    assert.deepEqual(
      patchPaths(pod).filter((path) => path.startsWith("/spec")),
      ["/spec/containers/2/volumeMounts"],
    );
  });

  test("stays equal when the class appears, changes mode, or cannot be read between two reviews of the same pod", () => {
    const withReference = documentPod(prefixed(OPTED_IN));
    const withoutReference = aPod(OPTED_IN, { volumes: [documentVolume({ csi: csi({ nodePublishSecretRef: undefined }) })] });

    for (const fact of [found, workloadIdentity, { kind: "missing" } as const, { kind: "unknown" } as const]) {
      assert.ok(!patchPaths(withReference, fact).some((path) => path.startsWith("/spec/volumes")));
    }
    for (const fact of [workloadIdentity, { kind: "missing" } as const, { kind: "unknown" } as const]) {
      assert.ok(!patchPaths(withoutReference, fact).some((path) => path.startsWith("/spec/volumes")));
    }
  });

  test("is warned about where the driver would refuse it, and where rotation does not reach a mount", () => {
    const pod = aPod(OPTED_IN, {
      containers: [{ name: "app", volumeMounts: [{ name: "secrets-store-inline", mountPath: "/x", subPath: "DemoSecret" }] }],
      volumes: [documentVolume({ csi: csi({ readOnly: false }) })],
    });
    const decision = decide(pod);

    assert.ok(decision.kind === "patched");
    assert.deepEqual(decision.warnings, [
      'volume "secrets-store-inline": the driver mounts it only with csi.readOnly: true',
      'container "app" mounts secrets with subPath: rotation does not reach it',
    ]);
  });

  test("is not one of another class, which stays as it is next to ours", () => {
    const other = documentVolume({ name: "other", csi: csi({ volumeAttributes: { secretProviderClass: "other" } }) });

    assert.ok(patchPaths(aPod(OPTED_IN, { volumes: [other] })).includes("/spec/volumes/1"));
  });

  test("is not one with other credentials than the pod names", () => {
    const pod = aPod({ ...OPTED_IN, "credentials-secret": "sp" }, { volumes: [documentVolume({ name: "mine" })] });

    assert.ok(patchPaths(pod).includes("/spec/volumes/1"));
  });
});

describe("a volume of the class that the pod already has, under another name and with other credentials", () => {
  const other = (reference?: object) =>
    aPod(OPTED_IN, { volumes: [documentVolume({ name: "mine", csi: csi({ nodePublishSecretRef: reference }) })] });

  for (const [known, fact] of [
    ["needs credentials", found],
    ["is missing", { kind: "missing" }],
    ["could not be read", { kind: "unknown" }],
  ] as const) {
    test(`R3: is not joined by a second one that may hang, where the class ${known}: the denial says what to write`, () => {
      const decision = decide(other({ name: "my-creds" }), fact);

      assert.equal(decision.kind, "denied", JSON.stringify(decision));
      assert.equal(
        denial(other({ name: "my-creds" }), fact),
        'VolumeNameTaken: the pod\'s own volume "mine" of class "akvprovider-demo" has nodePublishSecretRef "my-creds" ' +
          '(expected: "secrets-store-creds"): set annotation keyvault-injector.dev/credentials-secret to "my-creds", or change the volume',
      );
      const followed = patchPaths(withCredentials(other({ name: "my-creds" }), "my-creds"), fact);
      assert.deepEqual(
        followed.filter((path) => path.startsWith("/spec/volumes")),
        [],
      );
    });
  }

  test("R3: is not joined by a second one either where it has no credentials and the class needs them", () => {
    assert.equal(decide(other()).kind, "denied");
    assert.match(denial(other()), /^VolumeNameTaken: .* has no nodePublishSecretRef \(expected: "secrets-store-creds"\)/);
  });

  test("R3: has its class named in the advice where the pod mounts several", () => {
    const two = aPod(
      { inject: "true", "secret-provider-class": "akvprovider-demo,other" },
      { volumes: [documentVolume({ name: "mine", csi: csi({ nodePublishSecretRef: { name: "my-creds" } }) })] },
    );

    assert.equal(decide(two).kind, "denied");
    assert.match(denial(two), /set annotation \S+ to "akvprovider-demo=my-creds", or change the volume$/);
  });

  test("is joined by what the pod asks for, where it names the credentials or the class reads none", () => {
    const named = withCredentials(other({ name: "my-creds" }), "others");

    assert.ok(patchPaths(named).includes("/spec/volumes/1"));
    assert.ok(patchPaths(other({ name: "my-creds" }), workloadIdentity).includes("/spec/volumes/1"));
    assert.ok(!patchPaths(other(), workloadIdentity).includes("/spec/volumes/1"));
  });
});

function csi(changes: Readonly<Record<string, unknown>>): object {
  return JSON.parse(JSON.stringify({ ...(documentVolume()["csi"] as object), ...changes }));
}

describe("a volume name that is taken", () => {
  test("by a volume of another type is denied with its type and the fix", () => {
    const pod = aPod(OPTED_IN, { volumes: [{ name: "secrets-store-inline", emptyDir: {} }] });

    assert.equal(
      denial(pod),
      'VolumeNameTaken: the volume name "secrets-store-inline" for class "akvprovider-demo" is already used by another emptyDir volume of the pod: ' +
        "set annotation keyvault-injector.dev/volume-name to a free name, or rename that volume",
    );
  });

  test("by a volume of another class names that class", () => {
    const pod = aPod(OPTED_IN, { volumes: [documentVolume({ csi: csi({ volumeAttributes: { secretProviderClass: "other" } }) })] });

    assert.match(denial(pod), /already used by another volume of class "other" of the pod/);
  });

  test("by a volume of another CSI driver names the driver, though it has a class of its own", () => {
    const other = { driver: "other.csi.example", volumeAttributes: { secretProviderClass: "akvprovider-demo" } };

    assert.match(
      denial(aPod(OPTED_IN, { volumes: [{ name: "secrets-store-inline", csi: other }] })),
      /already used by another volume of CSI driver "other\.csi\.example" of the pod/,
    );
  });

  test("by the same class with other credentials says which, and how to keep them", () => {
    const pod = aPod(OPTED_IN, { volumes: [documentVolume({ csi: csi({ nodePublishSecretRef: { name: "mine" } }) })] });

    assert.equal(
      denial(pod),
      'VolumeNameTaken: the pod\'s own volume "secrets-store-inline" of class "akvprovider-demo" has nodePublishSecretRef "mine" ' +
        '(expected: "secrets-store-creds"): set annotation keyvault-injector.dev/credentials-secret to "mine", or change the volume',
    );
    assert.equal(decide(withCredentials(pod, "mine")).kind, "patched");
  });

  test("by the same class without credentials likewise, where the class needs them", () => {
    const pod = aPod(OPTED_IN, { volumes: [documentVolume({ csi: csi({ nodePublishSecretRef: undefined }) })] });

    assert.match(denial(pod), /has no nodePublishSecretRef \(expected: "secrets-store-creds"\): set annotation \S+ to "none"/);
    assert.equal(decide(withCredentials(pod, "none")).kind, "patched");
  });
});

function withCredentials(pod: Readonly<Record<string, unknown>>, name: string): object {
  return { ...pod, metadata: { annotations: prefixed({ ...OPTED_IN, "credentials-secret": name }) } };
}

describe("a mount path that is taken", () => {
  const taken = (container: object) => aPod(OPTED_IN, { initContainers: [{ name: "free" }], containers: [container] });

  test("is denied with container, volume, path and the fix", () => {
    const pod = taken({ name: "app", volumeMounts: [{ name: "data", mountPath: "/mnt/secrets-store" }] });

    assert.equal(
      denial(pod),
      'MountPathTaken: container "app" already has volume "data" at "/mnt/secrets-store", where class "akvprovider-demo" would be mounted: ' +
        'set annotation keyvault-injector.dev/mount-path to a free path, or exclude the container with keyvault-injector.dev/containers: "-app"',
    );
  });

  test("is recognised in another spelling, and in a block device", () => {
    assert.match(denial(taken({ name: "app", volumeMounts: [{ name: "data", mountPath: "/mnt//secrets-store/" }] })), /^MountPathTaken/);
    assert.match(denial(taken({ name: "app", volumeDevices: [{ name: "d", devicePath: "/mnt/secrets-store" }] })), /has a block device at/);
  });

  test("does not matter in a container that is left out, or next to it", () => {
    const left = aPod(
      { ...OPTED_IN, containers: "app" },
      {
        containers: [{ name: "app" }, { name: "other", volumeMounts: [{ name: "data", mountPath: "/mnt/secrets-store" }] }],
      },
    );

    assert.equal(decide(left).kind, "patched");
    assert.equal(decide(taken({ name: "app", volumeMounts: [{ name: "data", mountPath: "/mnt/secrets-store-2" }] })).kind, "patched");
  });
});
