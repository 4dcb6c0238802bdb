import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isOwner, ownersAfterRepair, ownersWithout } from "../../src/domain/healing/field-owners.ts";
import { type CrdIdentity, classSnapshotOf, missingSpec, restoredClass, snapshotDrift } from "../../src/domain/healing/snapshot.ts";
import type { SecretProviderClass } from "../../src/domain/kubernetes.ts";

function aClass(
  metadata: Partial<SecretProviderClass["metadata"]> = {},
  spec: SecretProviderClass["spec"] = { provider: "azure", secretObjects: [] },
): SecretProviderClass {
  return {
    apiVersion: "secrets-store.csi.x-k8s.io/v1",
    kind: "SecretProviderClass",
    metadata: { name: "demo", namespace: "team", uid: "class-1", generation: 3, ...metadata },
    spec,
  };
}

function crd(crdUid: string, crdGeneration = 1): CrdIdentity {
  return { crdUid, crdGeneration };
}

describe("a snapshot", () => {
  test("makes the class again with its labels, annotations and spec", () => {
    const original = aClass({ labels: { team: "a" }, annotations: { note: "b" } });

    const restored = restoredClass(classSnapshotOf(original, crd("crd-1")));

    assert.deepEqual(restored.spec, original.spec);
    assert.deepEqual(restored.metadata, { name: "demo", namespace: "team", labels: { team: "a" }, annotations: { note: "b" } });
  });

  test("remembers who wrote which field, but not who wrote the status", () => {
    const spec = { "f:spec": {} };
    const owners = [
      { manager: "kubectl-edit", operation: "Update", fieldsV1: spec },
      { manager: "flux", operation: "Apply", fieldsV1: spec },
    ] as const;
    const managedFields = [...owners, { manager: "driver", operation: "Update", subresource: "status", fieldsV1: {} }] as const;

    assert.deepEqual(classSnapshotOf(aClass({ managedFields }), crd("crd-1")).managedFields, owners);
  });

  test("is current for the class it was taken of, whatever the order of its fields", () => {
    const snapshot = classSnapshotOf(aClass({}, { provider: "azure", secretObjects: [] }), crd("crd-1"));

    assert.equal(snapshotDrift(snapshot, aClass({}, { secretObjects: [], provider: "azure" }), crd("crd-1")), "current");
  });

  test("is outdated after an edit, which raises the generation", () => {
    const snapshot = classSnapshotOf(aClass(), crd("crd-1"));

    assert.equal(snapshotDrift(snapshot, aClass({ generation: 4 }, { provider: "azure" }), crd("crd-1")), "outdated");
  });

  test("is outdated under another CRD", () => {
    const snapshot = classSnapshotOf(aClass(), crd("crd-1"));

    assert.equal(snapshotDrift(snapshot, aClass({ uid: "class-2", generation: 1 }), crd("crd-2")), "outdated");
  });

  test("that was itself taken of a cut class never cuts the whole one back", () => {
    const snapshot = classSnapshotOf(aClass({}, { provider: "azure" }), crd("crd-1"));

    assert.equal(snapshotDrift(snapshot, aClass(), crd("crd-1")), "outdated");
  });

  test("shows damage where the spec lost fields at the same generation", () => {
    const snapshot = classSnapshotOf(aClass(), crd("crd-1"));

    assert.equal(snapshotDrift(snapshot, aClass({ annotations: { touched: "yes" } }, { provider: "azure" }), crd("crd-1")), "damaged");
  });
});

describe("the owners of a class that was completed from its snapshot", () => {
  const flux = { manager: "flux", operation: "Apply", apiVersion: "v1" } as const;
  const whole = { "f:provider": {}, "f:secretObjects": {} };

  test("own the whole spec again", () => {
    const cut = { ...flux, fieldsV1: { "f:metadata": { "f:labels": {} }, "f:spec": { "f:provider": {} } } };

    const owners = ownersAfterRepair([{ ...flux, fieldsV1: { "f:spec": whole } }], [cut]);

    assert.deepEqual(owners, [{ ...flux, fieldsV1: { "f:metadata": { "f:labels": {} }, "f:spec": whole } }]);
  });

  test("keep the labels and annotations that they wrote since", () => {
    const person = { manager: "kubectl-annotate", operation: "Update", fieldsV1: { "f:metadata": {} } } as const;

    assert.deepEqual(ownersAfterRepair([], [person]), [person]);
  });

  test("are remembered where all that they had written was cut", () => {
    const forgotten = { manager: "kubectl-edit", operation: "Update", fieldsV1: { "f:metadata": {}, "f:spec": whole } } as const;
    const unrelated = { manager: "kubectl-label", operation: "Update", fieldsV1: { "f:metadata": {} } } as const;

    assert.deepEqual(ownersAfterRepair([forgotten, unrelated], []), [{ ...forgotten, fieldsV1: { "f:spec": whole } }]);
  });

  test("shows damage where an edit lost a whole field while the CRD's schema was another", () => {
    const snapshot = classSnapshotOf(aClass(), crd("crd-1", 1));
    const edited = aClass({ generation: 4 }, { provider: "azure", parameters: { keyvaultName: "other" } });

    assert.equal(snapshotDrift(snapshot, edited, crd("crd-1", 3)), "damaged");
    assert.deepEqual(missingSpec(snapshot, edited), { secretObjects: [] });
  });

  test("is outdated where an edit removed the field and the CRD stayed as it was", () => {
    const snapshot = classSnapshotOf(aClass(), crd("crd-1", 3));

    assert.equal(snapshotDrift(snapshot, aClass({ generation: 4 }, { provider: "azure" }), crd("crd-1", 3)), "outdated");
  });
});

describe("owners of a class that the worker made again and did not hand over", () => {
  const worker = "keyvault-injector-sync";
  const annotations = { "f:metadata": { "f:annotations": { "f:sync": {}, "f:interval": {} } } };
  const flux = { manager: "flux", operation: "Apply", fieldsV1: { ...annotations, "f:spec": { "f:provider": {} } } } as const;
  const own = {
    manager: worker,
    operation: "Update",
    fieldsV1: { "f:metadata": { "f:annotations": { ".": {}, "f:sync": {}, "f:interval": {} } }, "f:spec": { ".": {}, "f:provider": {} } },
  } as const;

  test("are those of its snapshot", () => {
    assert.deepEqual(ownersWithout(worker, { snapshot: [flux], live: [own] }), [flux]);
  });

  test("get back what nobody has written since, beside what they applied since", () => {
    const applied = { ...flux, fieldsV1: { "f:metadata": { "f:annotations": { "f:interval": {} } }, "f:spec": { "f:objects": {} } } };
    const left = { ...own, fieldsV1: { "f:metadata": { "f:annotations": { "f:sync": {} } } } };

    assert.deepEqual(ownersWithout(worker, { snapshot: [flux], live: [applied, left] }), [
      { ...flux, fieldsV1: { "f:metadata": { "f:annotations": { "f:interval": {}, "f:sync": {} } }, "f:spec": { "f:objects": {} } } },
    ]);
  });

  test("are never the worker, by an earlier snapshot either", () => {
    assert.deepEqual(ownersWithout(worker, { snapshot: [own, flux], live: [own] }), [flux]);
  });

  test("are as they are where the worker owns its status alone", () => {
    const status = { ...own, subresource: "status" };

    assert.equal(isOwner(worker, [flux, status]), false);
    assert.equal(isOwner(worker, [flux, own]), true);
    assert.deepEqual(ownersWithout(worker, { snapshot: [flux], live: [flux, status] }), [flux, status]);
  });
});
