import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SecretProviderClass } from "../../src/domain/kubernetes.ts";
import * as operatorLimits from "../../src/domain/provider-class/operator-limits.ts";
import { serviceAccountName } from "../../src/domain/sync/identity-names.ts";
import { findIdentity, type IdentityOptions } from "../../src/sync/vault/find-identity.ts";

const { identityModeRefusal, managedIdentityRefusal, vaultRefusal } = operatorLimits;
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
  const none = { allowedVaults: [], allowedIdentityModes: [], managedIdentityNamespaces: [], cloudName: "AzurePublicCloud" } as const;
  const vaultAt = (host: string) => ({ vaultUrl: `https://${host}/` });

  test("are none by default", () => {
    assert.equal(identityModeRefusal(none, "managedIdentity"), undefined);
    assert.equal(vaultRefusal(none, vaultAt("any.vault.azure.net"), "shop"), undefined);
  });

  test("refuse other identities than those listed, and name the setting", () => {
    const limits = { ...none, allowedIdentityModes: ["workload-identity"] } as const;
    assert.equal(identityModeRefusal(limits, "workloadIdentity"), undefined);
    const refusal = identityModeRefusal(limits, "servicePrincipal");
    assert.equal(refusal?.reason, "IdentityUnavailable");
    assert.match(refusal.hint, /use workload-identity, or add service-principal to the setting --allowed-identity-modes/);
  });

  test("refuse other vaults than those listed by name or by host, in any case, and name the setting", () => {
    const limits = { ...none, allowedVaults: ["Demo", "other.vault.azure.cn", "https://Third.vault.azure.net/"] };
    for (const host of ["demo.vault.azure.net", "DEMO.vault.azure.net", "other.vault.azure.cn", "third.vault.azure.net"]) {
      assert.equal(vaultRefusal(limits, vaultAt(host), "shop"), undefined, host);
    }
    for (const host of ["other.vault.azure.net", "demo2.vault.azure.net", "vault.azure.net", "third.vault.azure.cn"]) {
      const refusal = vaultRefusal(limits, vaultAt(host), "shop");
      assert.equal(refusal?.reason, "InvalidClass", host);
      assert.match(refusal.hint, /--allowed-vaults/);
    }
  });

  test("S6: take a vault's bare name to be in the cloud of --cloud-name alone: in another one it is somebody else's", () => {
    const limits = { ...none, allowedVaults: ["demo"] };
    assert.equal(vaultRefusal(limits, vaultAt("demo.vault.azure.net"), "shop"), undefined);
    assert.equal(vaultRefusal(limits, vaultAt("demo.vault.azure.cn"), "shop")?.reason, "InvalidClass");
    const china = { ...limits, cloudName: "AzureChinaCloud" };
    assert.equal(vaultRefusal(china, vaultAt("demo.vault.azure.cn"), "shop"), undefined);
    assert.equal(vaultRefusal(china, vaultAt("demo.vault.azure.net"), "shop")?.reason, "InvalidClass");
    const custom = { vaultUrl: "https://demo.vault.local/", customScope: "https://vault.local/.default" };
    assert.equal(vaultRefusal(limits, custom, "shop")?.reason, "InvalidClass");
    assert.equal(vaultRefusal({ ...limits, cloudName: "AzureStackCloud" }, custom, "shop"), undefined);
  });

  test("S6: allow a vault to one namespace alone where the entry says so", () => {
    const limits = { ...none, allowedVaults: ["team-a/demo", "team-a/other.vault.azure.cn", "common"] };
    for (const host of ["demo.vault.azure.net", "other.vault.azure.cn", "common.vault.azure.net"])
      assert.equal(vaultRefusal(limits, vaultAt(host), "team-a"), undefined, host);
    const refusal = vaultRefusal(limits, vaultAt("demo.vault.azure.net"), "team-b");
    assert.equal(refusal?.reason, "InvalidClass");
    assert.match(refusal.hint, /use one of common,/);
  });

  test("leave the node's identity to the namespaces that are listed, or whose Namespace grants it, and say both", () => {
    const refusalIn = (listed: readonly string[], isGranted = false) =>
      managedIdentityRefusal({ managedIdentityNamespaces: listed }, { namespace: "shop", isGranted });
    assert.equal(refusalIn(["shop"]), undefined);
    assert.equal(refusalIn(["*"]), undefined);
    assert.equal(refusalIn([], true), undefined);
    const refusal = refusalIn(["other"]);
    assert.equal(refusal?.reason, "IdentityUnavailable");
    assert.match(refusal.hint, /add shop to the setting --managed-identity-namespaces/);
    assert.match(refusal.hint, /with: keyvault-injector grants --namespace shop --managed-identity --apply$/);
  });
});

describe("N17: the message of credentials that are not there", () => {
  const say = async (data: Readonly<Record<string, string>> | undefined): Promise<string> => {
    const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "secrets-store-creds" }, data };
    const options = {
      credentials: { read: async () => (data === undefined ? { kind: "absent" } : { kind: "found", object: secret }) },
      credentialsSecretNames: ["secrets-store-creds"],
      limits: { allowedVaults: [], allowedIdentityModes: [], managedIdentityNamespaces: [], cloudName: "AzurePublicCloud" },
      consumers: { credentialsSecretsOf: () => [] },
    } as unknown as IdentityOptions; // The other options are for other identities.
    const found = await findIdentity(
      options,
      { provider: aClass(), mode: { kind: "servicePrincipal" }, credentialsMs: 0 },
      AbortSignal.timeout(5_000),
    );
    return found.ok ? "" : found.error.message;
  };

  test("begins with what is missing and what to do, and ends with the provider's words", async () => {
    assert.match(
      await say(undefined),
      /^Secret secrets-store-creds does not exist in the namespace shop: create it with the keys clientid and clientsecret, .*\(failed to build .*\)$/,
    );
    assert.match(
      await say({}),
      /^Secret secrets-store-creds, data\.clientid: put .*\(failed to build auth config.* clientid in secrets\)$/,
    );
  });
});
