import assert from "node:assert/strict";
import { describe, test } from "node:test";

import type { KeyVaultCertificate } from "@azure/keyvault-certificates";
import type { KeyVaultKey } from "@azure/keyvault-keys";
import type { KeyVaultSecret } from "@azure/keyvault-secrets";

import type { VaultRequest } from "../../src/azure/vault-errors.ts";
import { toVaultCertificate, toVaultKey, toVaultSecret, toVaultVersions } from "../../src/azure/vault-objects.ts";
import { VaultError } from "../../src/domain/ports.ts";

const address = { vaultUrl: "https://kv.vault.azure.net/", authorityHost: "https://login.microsoftonline.com/", tenantId: "t" };
const asked = (object: VaultRequest["object"]): VaultRequest => ({
  address,
  identity: { kind: "managedIdentity", clientId: "c" },
  assertion: { issuer: undefined },
  action: "get",
  object,
  name: "n",
  version: undefined,
});

const properties = { name: "n", vaultUrl: address.vaultUrl, version: "v1", updatedOn: new Date(1), expiresOn: new Date(2) };
const facts = { version: "v1", updated: 1, expires: 2, notBefore: undefined };

describe("what the SDK hands out", () => {
  test("becomes a secret, an empty one too", () => {
    const { value, ...rest } = toVaultSecret({ name: "n", value: "", properties }, asked("secret"));
    assert.deepEqual([value.byteLength, rest], [0, { ...facts, contentType: undefined, keyId: undefined }]);
  });

  test("becomes a key with the public numbers alone", () => {
    const key = { kty: "RSA", kid: "k", n: Buffer.of(1), e: Buffer.of(3), d: Buffer.from("canary") } as const;
    // Only the fields that are read.
    const { jwk, ...rest } = toVaultKey({ key, properties } as unknown as KeyVaultKey, asked("key"));
    assert.deepEqual(rest, facts);
    assert.deepEqual(jwk, { kty: "RSA", n: Buffer.of(1), e: Buffer.of(3), crv: undefined, x: undefined, y: undefined });
  });

  test("becomes a certificate", () => {
    const certificate = { name: "n", cer: Buffer.from("hi"), properties };
    assert.deepEqual(toVaultCertificate(certificate, asked("certificate")), { ...facts, der: Buffer.from("hi") });
  });

  test("becomes versions, disabled ones and those without a time too", async () => {
    async function* list() {
      yield { version: "v2", enabled: false, createdOn: new Date(5) };
      yield { version: "v1" };
    }
    assert.deepEqual(await toVaultVersions(list(), asked("secret")), [
      { version: "v2", isEnabled: false, created: 5 },
      { version: "v1", isEnabled: true, created: 0 },
    ]);
  });
});

describe("a part that the vault leaves out", () => {
  const without = { ...properties, version: undefined };
  // Answers as they would be if they were broken: the types say that they cannot be.
  for (const [words, read] of [
    ["secret value is nil", () => toVaultSecret({ properties } as unknown as KeyVaultSecret, asked("secret"))],
    ["secret id is nil", () => toVaultSecret({ value: "canary", properties: without } as unknown as KeyVaultSecret, asked("secret"))],
    ["key value is nil", () => toVaultKey({ properties } as unknown as KeyVaultKey, asked("key"))],
    ["key id is nil", () => toVaultKey({ key: {}, properties: without } as unknown as KeyVaultKey, asked("key"))],
    ["certificate value is nil", () => toVaultCertificate({ properties } as unknown as KeyVaultCertificate, asked("certificate"))],
    [
      "certificate id is nil",
      () => toVaultCertificate({ cer: Buffer.of(1), properties: without } as unknown as KeyVaultCertificate, asked("certificate")),
    ],
  ] as const) {
    test(`is told in the provider's words: ${words}`, () => {
      assert.throws(read, (error) => {
        assert.ok(error instanceof VaultError);
        assert.equal(error.code, "Invalid");
        assert.ok(error.message.endsWith(`https://kv.vault.azure.net/: ${words}`), error.message);
        return true;
      });
    });
  }
});
