import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { findGrants, LENDING } from "../../src/cli/grants/needs.ts";
import { type Manifest, readManifests } from "../support/cluster/shipped-manifests.ts";
import { holding } from "../support/worker/held-objects.ts";

const POLICY = "keyvault-injector-class-identities";
const ACCOUNT = "keyvault-injector.dev/service-account";
const [BEFORE, SINCE, LATER] = ["2025-01-01T00:00:00Z", "2025-06-01T00:00:00Z", "2025-06-02T00:00:00Z"];

const binding = {
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: "ValidatingAdmissionPolicyBinding",
  metadata: { name: POLICY, creationTimestamp: SINCE },
};

/** `written`: of all fields that its one manager has. */
function classOfAge(created: string, written: string, annotations: Readonly<Record<string, string>> = { [ACCOUNT]: "admin" }): Manifest {
  const fieldsV1 = { "f:metadata": { "f:labels": { "f:x": {} }, "f:annotations": { [`f:${ACCOUNT}`]: {} } }, "f:spec": {} };
  const managedFields = [{ manager: "kubectl-edit", operation: "Update", time: written, fieldsV1 }];
  return {
    apiVersion: "secrets-store.csi.x-k8s.io/v1",
    kind: "SecretProviderClass",
    metadata: { namespace: "shop", name: "web", creationTimestamp: created, annotations, managedFields },
    spec: { provider: "azure", parameters: {} },
  } as Manifest; // With what the API server adds.
}

const olderOf = async (spc: Manifest) => (await findGrants(holding([binding, spc]), "keyvault-injector", undefined)).older;

describe("a class that is older than the policy that asks its author", () => {
  test("AT20-3: is listed whatever was written since: a label renews the time of all fields of its manager", async () => {
    const listed = [{ name: "shop/web", lends: ["lends the ServiceAccount admin"] }];
    assert.deepEqual(await olderOf(classOfAge(BEFORE, BEFORE)), listed);
    assert.deepEqual(await olderOf(classOfAge(BEFORE, LATER)), listed);
  });

  test("is listed, too, where healing has created it again since, with its fields as old as they were", async () => {
    assert.equal((await olderOf(classOfAge(LATER, BEFORE)))?.length, 1);
    assert.deepEqual(await olderOf(classOfAge(LATER, LATER)), []);
  });

  test("AT20-3: is looked at for each annotation that the policy judges", async () => {
    const policy = readManifests("policies/class-identities.yaml").find(({ kind }) => kind === "ValidatingAdmissionPolicy");
    const judged = [...JSON.stringify(policy?.["spec"]).matchAll(/!\('(keyvault-injector\.dev\/[a-z-]+)' in variables\.annotations\)/g)];

    assert.deepEqual(LENDING.map(([annotation]) => annotation).sort(), judged.map(([, annotation = ""]) => annotation).sort());
    assert.deepEqual((await olderOf(classOfAge(BEFORE, BEFORE, { "keyvault-injector.dev/mirror-to": "payments" })))?.[0]?.lends, [
      "copies its Secrets to Namespace payments",
    ]);
  });
});
