import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createHttpHeaders, createPipelineRequest } from "@azure/core-rest-pipeline";
import { RestError } from "@azure/keyvault-secrets";
import { translateError } from "../../src/azure/vault-errors.ts";
import type { VaultRequest } from "../../src/azure/vault-request.ts";
import type { VaultError } from "../../src/domain/ports/vault-error.ts";

const REQUEST: VaultRequest = {
  address: { vaultUrl: "https://kv.vault.azure.net/", authorityHost: "https://login.microsoftonline.com/", tenantId: "the-tenant" },
  identity: { kind: "managedIdentity", clientId: undefined },
  assertion: { issuer: undefined },
  action: "get",
  object: "secret",
  name: "db",
  version: undefined,
};

/** The adapter's error for a response with this `error` in its body. */
function answered(status: number, error: unknown, headers: Readonly<Record<string, string>> = {}): VaultError {
  const request = createPipelineRequest({ url: REQUEST.address.vaultUrl });
  const response = { status, request, headers: createHttpHeaders(headers) };
  return translateError(Object.assign(new RestError("canary", { statusCode: status, response }), { details: { error } }), REQUEST);
}

describe("an error with which a vault responds", () => {
  for (const [status, error, shown] of [
    [500, { code: "InternalServerError" }, "HTTP 500 InternalServerError"],
    [503, { code: "ServiceUnavailable" }, "HTTP 503 ServiceUnavailable"],
    [409, { code: "Conflict", innererror: { code: "ObjectIsBeingDeleted" } }, "HTTP 409 Conflict ObjectIsBeingDeleted"],
  ] as const) {
    test(`SW-5: is blamed neither on the vault's name nor on a proxy: ${status}`, () => {
      const { code, message, retry } = answered(status, error);

      assert.deepEqual([code, retry], ["Unreachable", { kind: "backoff" }]);
      assert.ok(message.endsWith(`.net/: the vault responds with an error (${shown}); the worker retries`), message);
    });
  }

  for (const error of [{ code: "ServiceUnavailable" }, undefined]) {
    test(`SW-5: is retried at the time that it names: ${JSON.stringify(error)}`, () => {
      const { code, retry } = answered(503, error, { "retry-after": "30" });

      assert.deepEqual([code, retry], ["Unreachable", { kind: "after", milliseconds: 30_000 }]);
    });
  }

  test("SW-5: may be a proxy's where its body is not Key Vault's: the control", () => {
    assert.match(answered(503, undefined).message, /no valid response \(HTTP 503\) from the vault; check that the vault exists/);
  });
});
