import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ClassProblem } from "../../src/domain/provider-class/problem.ts";
import { openProviderClass, parseProviderClass } from "../../src/domain/read-class.ts";

const OPTIONS = { owner: "shop/akv", cloudName: "AzurePublicCloud" };

type Changes = Readonly<Record<string, string>>;

const specOf = (changes: Changes) => ({
  provider: "azure",
  parameters: {
    keyvaultName: "demo-vault",
    tenantID: "the-tenant",
    objects: "array:\n  - |\n    objectName: a\n    objectType: secret\n",
    ...changes,
  },
});

function identityOf(changes: Changes): unknown {
  const opened = openProviderClass(specOf(changes), OPTIONS);
  assert.equal(opened.kind, "opened", JSON.stringify(opened));
  return opened.identity;
}

function problemOf(changes: Changes): ClassProblem {
  const parsed = parseProviderClass(specOf(changes), OPTIONS);
  assert.equal(parsed.kind, "invalid", JSON.stringify(parsed));
  return parsed.problem;
}

describe("the identity of a class", () => {
  for (const [changes, expected] of [
    [{}, { kind: "servicePrincipal" }],
    [{ clientID: " " }, { kind: "servicePrincipal" }],
    [{ clientID: " app " }, { kind: "workloadIdentity", clientId: "app" }],
    [{ ClientID: "app" }, { kind: "servicePrincipal" }],
    [{ useVMManagedIdentity: "true" }, { kind: "managedIdentity", clientId: undefined }],
    [
      { useVMManagedIdentity: "T", userAssignedIdentityID: "id" },
      { kind: "managedIdentity", clientId: "id" },
    ],
    [
      { useVMManagedIdentity: "1", clientID: "app" },
      { kind: "managedIdentity", clientId: undefined },
    ],
    [
      { userAssignedIdentityID: "id", clientID: "app" },
      { kind: "workloadIdentity", clientId: "app" },
    ],
    [{ userAssignedIdentityID: "id" }, { kind: "servicePrincipal" }],
  ] as const) {
    test(`with ${JSON.stringify(changes)} is ${expected.kind}`, () => assert.deepEqual(identityOf(changes), expected));
  }

  test("of a managed identity needs a tenantID, whatever it says: the node's own counts", () => {
    const managed = { useVMManagedIdentity: "true" };
    assert.equal(problemOf({ ...managed, tenantID: " " }).message, "tenantId is not provided");
    assert.equal(parseProviderClass(specOf({ ...managed, tenantID: "not a tenant" }), OPTIONS).kind, "class");
    assert.match(problemOf({ clientID: "app", tenantID: "not a tenant" }).message, /^failed to get keyvault client: invalid tenantID/);
  });
});

describe("an identity that only mounts can use", () => {
  for (const [changes, field] of [
    [{ usePodIdentity: "true" }, "usePodIdentity"],
    [{ usePodIdentity: "true", clientID: "app" }, "usePodIdentity"],
    [{ useAzureTokenProxy: "true", clientID: "app" }, "useAzureTokenProxy"],
  ] as const) {
    test(`is refused, with what to use instead: ${JSON.stringify(changes)}`, () => {
      const problem = problemOf(changes);
      assert.deepEqual([problem.reason, problem.field], ["IdentityUnavailable", `spec.parameters.${field}`]);
      assert.match(problem.hint, new RegExp(`remove ${field} and set clientID to use workload identity`));
    });
  }

  test("has the provider's text where clientID is missing for identity binding", () => {
    const { reason, message } = problemOf({ useAzureTokenProxy: "true" });
    assert.equal(message, "failed to build auth config for mode AzureTokenProxy: clientID is required for identity binding");
    assert.equal(reason, "InvalidClass");
  });
});

describe("of two mistakes", () => {
  const wrong = { objects: "array: [", keyvaultName: "x" };

  test("the parameters' is told before the identity is asked for", () => {
    assert.equal(openProviderClass(specOf({ ...wrong, cloudName: "nowhere" }), OPTIONS).kind, "invalid");
    assert.equal(openProviderClass(specOf({ ...wrong, usePodIdentity: "true" }), OPTIONS).kind, "invalid");
  });

  test("the objects' is told after the identity was asked for, and before the vault's name", () => {
    const opened = openProviderClass(specOf(wrong), OPTIONS);
    assert.equal(opened.kind, "opened");
    const read = opened.readObjects();
    assert.match(read.ok ? "" : read.error.message, /^failed to yaml unmarshal objects, error:/);
  });

  test("the vault's name is told before the tenant's", () => {
    assert.match(problemOf({ keyvaultName: "x", tenantID: "a b" }).message, /^failed to get vault: Invalid vault name/);
  });
});
