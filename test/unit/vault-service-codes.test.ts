import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RestError } from "@azure/keyvault-secrets";
import { Registry } from "prom-client";

import { translateSignInError } from "../../src/azure/sign-in-errors.ts";
import { translateError } from "../../src/azure/vault-errors.ts";
import type { VaultRequest } from "../../src/azure/vault-request.ts";
import { VaultError, vaultWords } from "../../src/domain/ports/vault-error.ts";
import { VaultGate } from "../../src/sync/vault/vault-gate.ts";
import { createVaultMetrics } from "../../src/sync/vault/vault-metrics.ts";
import { VAULT_REQUEST } from "../support/fixtures/vault-request.ts";
import { ManualClock } from "../support/time/manual-clock.ts";

const { vaultUrl: VAULT_URL } = VAULT_REQUEST.address;
const REQUEST: VaultRequest = { ...VAULT_REQUEST, version: "v1" };

/** The adapter's error for a response with this `error` in its body. */
function answered(statusCode: number, error: unknown): VaultError {
  return translateError(Object.assign(new RestError("canary", { statusCode }), { details: { error } }), REQUEST);
}

/** The adapter's error for a sign-in that failed with this error. */
function notSignedIn(error: Error, request: VaultRequest = REQUEST): VaultError {
  return translateError(new Error("outer", { cause: translateSignInError(error, request, {}) }), request);
}

const ofNode: VaultRequest = { ...REQUEST, identity: { kind: "managedIdentity", clientId: "the-client" } };
const unavailable = Object.assign(new Error("invalid_resource: AADSTS500011: canary"), { name: "CredentialUnavailableError" });
const ours = new VaultError("Unauthorized", "no", { retry: { kind: "never" }, origin: "signIn", serviceCode: "AADSTS50013" });

describe("the service's code of an error", () => {
  for (const [what, error, expected] of [
    ["the vault's inner one", answered(403, { code: "Forbidden", innererror: { code: "ForbiddenByRbac" } }), "ForbiddenByRbac"],
    ["the innermost", answered(403, { code: "A", innererror: { code: "B", innererror: { code: "AccessDenied" } } }), "AccessDenied"],
    ["the only one", answered(401, { code: "Unauthorized" }), "Unauthorized"],
    ["the one that is the network's", answered(403, { code: "ForbiddenByNsp", innererror: { code: "Other" } }), "ForbiddenByNsp"],
    ["none, where the body is not Key Vault's", answered(503, undefined), undefined],
    ["none, where the codes are text", answered(403, { code: "canary: text", innererror: { code: "also text" } }), undefined],
    ["none, where nothing was answered", translateError(new Error("canary"), REQUEST), undefined],
    ["Entra's", notSignedIn(new Error("AADSTS7000215: canary")), "AADSTS7000215"],
    ["Entra's, where it is busy", notSignedIn(new Error("AADSTS90033: canary")), "AADSTS90033"],
    ["Entra's, by way of the node's metadata service", notSignedIn(unavailable, ofNode), "AADSTS500011"],
    ["the one of our own error, which the SDK has wrapped", notSignedIn(new Error("x", { cause: ours })), "AADSTS50013"],
  ] as const) {
    test(`is ${what}`, () => {
      assert.equal(error.serviceCode, expected);
      assert.equal(vaultWords(error).serviceCode, expected);
    });
  }

  for (const given of ["", "two words", "a-b", "a.b", "line\n", "ünder", "a".repeat(65), "canary: text"]) {
    test(`is dropped where it is no code: ${JSON.stringify(given)}`, () => {
      const error = (serviceCode: string) => new VaultError("Invalid", "m", { retry: { kind: "never" }, origin: "vault", serviceCode });
      assert.equal(error(given).serviceCode, undefined);
      assert.equal(error(`A_1${"a".repeat(61)}`).serviceCode?.length, 64, "control: a code");
    });
  }
});

/** The error that the gate of the vault returns if a request fails with this error. */
async function passed(refusal: VaultError): Promise<VaultError> {
  const gate = new VaultGate(VAULT_URL, { clock: new ManualClock(), random: () => 0, metrics: createVaultMetrics(new Registry()) });
  const call = { kind: "secret", operation: "get", namespace: "team" } as const;
  const reported = await gate.pass(call, () => Promise.reject(refusal), new AbortController().signal).catch((thrown: unknown) => thrown);
  assert.ok(reported instanceof VaultError);
  return reported;
}

describe("the gate of a vault", () => {
  for (const error of [
    answered(429, { code: "Throttled" }),
    answered(500, { code: "InternalError" }),
    notSignedIn(new Error("AADSTS90033: canary")),
  ]) {
    test(`says the adapter's words of ${error.serviceCode} without the object, and keeps the code`, async () => {
      const reported = await passed(error);
      assert.equal(error.message, `get secret db, version v1 from ${VAULT_URL}: ${error.words}`, "control: the adapter names it");
      assert.equal(reported.message, `${VAULT_URL}: ${error.words}`);
      assert.deepEqual([reported.words, reported.serviceCode], [error.words, error.serviceCode]);
    });
  }

  test("lets a refusal through as it is", async () => {
    const error = answered(403, { code: "Forbidden", innererror: { code: "ForbiddenByRbac" } });
    assert.equal(await passed(error), error);
  });
});
