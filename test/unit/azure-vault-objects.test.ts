import assert from "node:assert/strict";
import { describe, test } from "node:test";

import type { KeyVaultCertificate } from "@azure/keyvault-certificates";
import type { KeyVaultKey } from "@azure/keyvault-keys";
import type { KeyVaultSecret } from "@azure/keyvault-secrets";

import { AbsentPart } from "../../src/azure/absent-part.ts";
import { toVaultCertificate, toVaultKey, toVaultSecret, toVaultVersion } from "../../src/azure/vault-objects.ts";

const dates = { createdOn: new Date(7), updatedOn: new Date(1), expiresOn: new Date(2) };
const properties = { name: "n", vaultUrl: "https://kv.vault.azure.net/", version: "v1", ...dates };
const facts = { version: "v1", created: 7, updated: 1, expires: 2, notBefore: undefined, isEnabled: true };

describe("what the SDK hands out", () => {
  test("becomes a secret, an empty one too", () => {
    const { value, ...rest } = toVaultSecret({ name: "n", value: "", properties });
    assert.deepEqual([value.byteLength, rest], [0, { ...facts, contentType: undefined, keyId: undefined }]);
  });

  test("becomes a key with the public numbers alone", () => {
    const key = { kty: "RSA", kid: "k", n: Buffer.of(1), e: Buffer.of(3), d: Buffer.from("canary") } as const;
    // Contains only the fields that the code reads.
    const { jwk, ...rest } = toVaultKey({ key, properties } as unknown as KeyVaultKey);
    assert.deepEqual(rest, facts);
    assert.deepEqual(jwk, { kty: "RSA", n: Buffer.of(1), e: Buffer.of(3), crv: undefined, x: undefined, y: undefined });
  });

  test("becomes a certificate", () => {
    const certificate = { name: "n", cer: Buffer.from("hi"), properties };
    assert.deepEqual(toVaultCertificate(certificate), { ...facts, der: Buffer.from("hi") });
  });

  test("becomes versions, disabled ones and those without a time too", () => {
    const disabled = { version: "v2", enabled: false, createdOn: new Date(5) };
    assert.deepEqual(toVaultVersion(disabled, "secret"), { version: "v2", isEnabled: false, created: 5 });
    assert.deepEqual(toVaultVersion({ version: "v1" }, "secret"), { version: "v1", isEnabled: true, created: 0 });
  });
});

describe("a part that the vault leaves out", () => {
  const without = { ...properties, version: undefined };
  // Malformed responses. The SDK's types claim that these cannot occur.
  for (const [words, read] of [
    ["secret value is nil", () => toVaultSecret({ properties } as unknown as KeyVaultSecret)],
    ["secret id is nil", () => toVaultSecret({ value: "canary", properties: without } as unknown as KeyVaultSecret)],
    ["key value is nil", () => toVaultKey({ properties } as unknown as KeyVaultKey)],
    ["key id is nil", () => toVaultKey({ key: {}, properties: without } as unknown as KeyVaultKey)],
    ["certificate value is nil", () => toVaultCertificate({ properties } as unknown as KeyVaultCertificate)],
    ["certificate id is nil", () => toVaultCertificate({ cer: Buffer.of(1), properties: without } as unknown as KeyVaultCertificate)],
  ] as const) {
    test(`is told in the provider's words: ${words}`, () => {
      assert.throws(read, (error) => error instanceof AbsentPart && error.message === words);
    });
  }
});
