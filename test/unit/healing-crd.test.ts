import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { CrdVersion, CustomResourceDefinition, Schema } from "../../src/domain/healing/crd.ts";
import { crdDrift } from "../../src/domain/healing/crd-drift.ts";
import { repairedCrd } from "../../src/domain/healing/crd-repair.ts";

const SPEC: Schema = {
  type: "object",
  properties: {
    provider: { type: "string" },
    parameters: { type: "object", additionalProperties: { type: "string" } },
    secretObjects: { type: "array", items: { type: "object", properties: { secretName: { type: "string" } } } },
  },
};

function aVersion(changes: Partial<CrdVersion> = {}, spec: Schema = SPEC): CrdVersion {
  return {
    name: "v1",
    served: true,
    storage: true,
    schema: { openAPIV3Schema: { type: "object", properties: { spec } } },
    ...changes,
  };
}

function aCrd(
  versions: readonly CrdVersion[] = [aVersion()],
  metadata: Partial<CustomResourceDefinition["metadata"]> = {},
): CustomResourceDefinition {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "secretproviderclasses.secrets-store.csi.x-k8s.io", uid: "uid-1", resourceVersion: "7", ...metadata },
    spec: {
      group: "secrets-store.csi.x-k8s.io",
      scope: "Namespaced",
      names: { plural: "secretproviderclasses", kind: "SecretProviderClass" },
      versions,
    },
    status: { conditions: [{ type: "Established", status: "True" }] },
  };
}

function without(schema: Schema, name: string): Schema {
  const { [name]: _, ...properties } = schema.properties ?? {};
  return { ...schema, properties };
}

describe("a live CRD", () => {
  test("that serves every field of ours is whole", () => {
    assert.deepEqual(crdDrift(aCrd(), aCrd()), { kind: "whole", uid: "uid-1", generation: 0 });
  });

  test("of a newer driver, with further versions and fields, is whole", () => {
    const wider = { ...SPEC, properties: { ...SPEC.properties, syncAll: { type: "boolean" } } };
    const live = aCrd([aVersion({}, wider), aVersion({ name: "v2", storage: false })]);

    assert.equal(crdDrift(aCrd(), live).kind, "whole");
  });

  test("without one of our fields is damaged, and the field is named", () => {
    const drift = crdDrift(aCrd(), aCrd([aVersion({}, without(SPEC, "secretObjects"))]));

    assert.deepEqual(drift, { kind: "damaged", problem: "version v1 lacks the fields spec.secretObjects" });
  });

  test("that keeps a field as another type is damaged", () => {
    const changed = { ...SPEC, properties: { ...SPEC.properties, provider: { type: "object" } } };

    assert.equal(crdDrift(aCrd(), aCrd([aVersion({}, changed)])).kind, "damaged");
  });

  test("whose parameters take no free keys any more is damaged", () => {
    const closed = { ...SPEC, properties: { ...SPEC.properties, parameters: { type: "object" } } };

    assert.equal(crdDrift(aCrd(), aCrd([aVersion({}, closed)])).kind, "damaged");
  });

  test("A-4: that gives every class a parameter by a default is damaged, and repaired without it", () => {
    const useVMManagedIdentity: Schema = { type: "string", default: "true" };
    const schemas: readonly Schema[] = [
      { type: "object", "x-kubernetes-preserve-unknown-fields": true, properties: { useVMManagedIdentity } },
      { type: "object", additionalProperties: { type: "string" }, default: { useVMManagedIdentity: "true" } },
    ];
    for (const parameters of schemas) {
      const live = aCrd([aVersion({}, { ...SPEC, properties: { ...SPEC.properties, parameters } })]);

      assert.equal(crdDrift(aCrd(), live).kind, "damaged");
      const repaired = repairedCrd(aCrd(), live);
      assert.equal(crdDrift(aCrd(), repaired).kind, "whole");
      assert.ok(!JSON.stringify(repaired).includes("useVMManagedIdentity"));
    }
  });

  test("of a newer driver, with a default for a field that ours lacks, is whole", () => {
    const wider = { ...SPEC, properties: { ...SPEC.properties, syncAll: { type: "boolean", default: true } } };

    assert.equal(crdDrift(aCrd(), aCrd([aVersion({}, wider)])).kind, "whole");
  });

  test("that no longer serves our version is damaged", () => {
    assert.deepEqual(crdDrift(aCrd(), aCrd([aVersion({ served: false })])), { kind: "damaged", problem: "version v1 is not served" });
  });

  test("without a version that is deprecated in ours is whole, for a newer driver drops it", () => {
    const old = aVersion({ name: "v1alpha1", storage: false, deprecated: true });

    assert.equal(crdDrift(aCrd([aVersion(), old]), aCrd()).kind, "whole");
    assert.equal(crdDrift(aCrd([aVersion(), old]), aCrd([aVersion(), { ...old, served: false }])).kind, "whole");
  });

  test("that is being deleted is left to go first", () => {
    assert.equal(crdDrift(aCrd(), aCrd([aVersion()], { deletionTimestamp: "2026-01-01T00:00:00Z" })).kind, "terminating");
  });

  test("whose deletion has failed is told from one that is being deleted", () => {
    const going = aCrd([aVersion()], { deletionTimestamp: "2026-01-01T00:00:00Z" });
    const saying = (status: string, reason: string): CustomResourceDefinition => ({
      ...going,
      status: { conditions: [{ type: "Terminating", status, reason }] },
    });
    const hasFailed = (live: CustomResourceDefinition): unknown => {
      const drift = crdDrift(aCrd(), live);
      return drift.kind === "terminating" && drift.hasFailed;
    };

    assert.equal(hasFailed(going), false);
    assert.equal(hasFailed(saying("True", "InstanceDeletionPending")), false);
    assert.equal(hasFailed(saying("True", "InstanceDeletionInProgress")), false);
    assert.equal(hasFailed(saying("False", "InstanceDeletionCompleted")), false);
    assert.equal(hasFailed(saying("True", "InstanceDeletionFailed")), true);
    assert.equal(hasFailed(saying("True", "InstanceDeletionCheck")), true);
  });

  test("that is not established yet is waited for", () => {
    const { status: _, ...young } = aCrd();

    assert.equal(crdDrift(aCrd(), young).kind, "settling");
  });
});

describe("the repaired CRD", () => {
  test("is ours where nothing is left", () => {
    assert.deepEqual(repairedCrd(aCrd(), undefined), aCrd());
  });

  test("has our fields back and keeps those of a newer driver", () => {
    const live = aCrd([
      aVersion({}, { ...without(SPEC, "secretObjects"), properties: { provider: { type: "string" }, syncAll: { type: "boolean" } } }),
    ]);

    const repaired = repairedCrd(aCrd(), live);

    const spec = repaired.spec.versions[0]?.schema?.openAPIV3Schema?.properties?.["spec"];
    assert.deepEqual(Object.keys(spec?.properties ?? {}).sort(), ["parameters", "provider", "secretObjects", "syncAll"]);
    assert.equal(crdDrift(aCrd(), { ...repaired, status: aCrd().status ?? {} }).kind, "whole");
  });

  test("keeps a newer version, and its being the stored one", () => {
    const live = aCrd([aVersion({ served: false, storage: false }), aVersion({ name: "v2", storage: true })]);

    const repaired = repairedCrd(aCrd(), live);

    assert.deepEqual(
      repaired.spec.versions.map(({ name, served, storage }) => ({ name, served, storage })),
      [
        { name: "v1", served: true, storage: false },
        { name: "v2", served: true, storage: true },
      ],
    );
  });

  test("carries the uid and resourceVersion it was computed from, so that a later change is not overwritten", () => {
    const live = aCrd([aVersion({ served: false })], { uid: "uid-9", resourceVersion: "42" });

    const { metadata } = repairedCrd(aCrd(), live);

    assert.equal(metadata.uid, "uid-9");
    assert.equal(metadata.resourceVersion, "42");
  });
});
