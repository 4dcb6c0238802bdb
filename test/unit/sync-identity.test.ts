import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SecretProviderClass } from "../../src/domain/kubernetes.ts";
import { identityModeRefusal, vaultRefusal } from "../../src/domain/provider-class/operator-limits.ts";
import { serviceAccountName } from "../../src/domain/sync/service-account.ts";

const ANNOTATION = "keyvault-injector.dev/service-account";

function aClass(annotations: Readonly<Record<string, string>> = {}): SecretProviderClass {
  return {
    apiVersion: "secrets-store.csi.x-k8s.io/v1",
    kind: "SecretProviderClass",
    metadata: { name: "akv", namespace: "shop", annotations },
  };
}

describe("the account of a class with workload identity", () => {
  test("is the one its annotation names, whatever the pods use", () => {
    const found = serviceAccountName({ provider: aClass({ [ANNOTATION]: "stated" }), consumerAccounts: ["a", "b"] });
    assert.deepEqual(found, { ok: true, value: "stated" });
  });

  test("is the one that its pods use", () => {
    assert.deepEqual(serviceAccountName({ provider: aClass(), consumerAccounts: ["cart"] }), { ok: true, value: "cart" });
  });

  test("is none without pods: no default is guessed, and the annotation is named", () => {
    const found = serviceAccountName({ provider: aClass(), consumerAccounts: [] });
    assert.match(found.ok ? "" : found.error, new RegExp(`no pod mounts the class.*annotation ${ANNOTATION} of the class$`));
  });

  test("is none where its pods use several: they are named, and the annotation", () => {
    const found = serviceAccountName({ provider: aClass(), consumerAccounts: ["a", "b"] });
    assert.match(found.ok ? "" : found.error, new RegExp(`several ServiceAccounts: a, b; name one in the annotation ${ANNOTATION}`));
  });

  test("names at most ten of several", () => {
    const consumerAccounts = Array.from({ length: 12 }, (_, index) => `account-${index}`);
    const found = serviceAccountName({ provider: aClass(), consumerAccounts });
    assert.match(found.ok ? "" : found.error, /account-9 and 2 more;/);
    assert.doesNotMatch(found.ok ? "" : found.error, /account-10/);
  });
});

describe("the operator's limits", () => {
  const none = { vaults: [], identityModes: [] } as const;

  test("are none by default", () => {
    assert.equal(identityModeRefusal(none, "managedIdentity"), undefined);
    assert.equal(vaultRefusal(none, { vaultUrl: "https://any.vault.azure.net/" }), undefined);
  });

  test("refuse other identities than those listed, and name the setting", () => {
    const limits = { ...none, identityModes: ["workload-identity"] } as const;
    assert.equal(identityModeRefusal(limits, "workloadIdentity"), undefined);
    const refusal = identityModeRefusal(limits, "servicePrincipal");
    assert.equal(refusal?.reason, "IdentityUnavailable");
    assert.match(refusal.hint, /use workload-identity, or add service-principal to the setting --allowed-identity-modes/);
  });

  test("refuse other vaults than those listed by name or by host, in any case, and name the setting", () => {
    const limits = { ...none, vaults: ["Demo", "other.vault.azure.cn"] };
    for (const host of ["demo.vault.azure.net", "DEMO.vault.azure.cn", "other.vault.azure.cn"]) {
      assert.equal(vaultRefusal(limits, { vaultUrl: `https://${host}/` }), undefined, host);
    }
    for (const host of ["other.vault.azure.net", "demo2.vault.azure.net", "vault.azure.net"]) {
      const refusal = vaultRefusal(limits, { vaultUrl: `https://${host}/` });
      assert.equal(refusal?.reason, "InvalidClass", host);
      assert.match(refusal.hint, /--allowed-vaults/);
    }
  });
});
