import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createHttpHeaders, createPipelineRequest } from "@azure/core-rest-pipeline";
import { RestError } from "@azure/keyvault-secrets";
import { translateSignInError } from "../../src/azure/sign-in-errors.ts";
import { translateError } from "../../src/azure/vault-errors.ts";
import type { VaultRequest } from "../../src/azure/vault-request.ts";
import type { VaultError } from "../../src/domain/ports/vault-error.ts";
import type { VaultIdentity } from "../../src/domain/ports/vault-identity.ts";
import { Sensitive } from "../../src/domain/sensitive.ts";
import { VAULT_REQUEST } from "../support/fixtures/vault-request.ts";

const REQUEST: VaultRequest = { ...VAULT_REQUEST, identity: { kind: "managedIdentity", clientId: undefined } };

/** The adapter's error for a response with this `error` in its body. */
function answered(status: number, error: unknown, headers: Readonly<Record<string, string>> = {}): VaultError {
  const request = createPipelineRequest({ url: REQUEST.address.vaultUrl });
  const response = { status, request, headers: createHttpHeaders(headers) };
  return translateError(Object.assign(new RestError("canary", { statusCode: status, response }), { details: { error } }), REQUEST);
}

/** The message about a sign-in that Entra refuses with this code. */
function refused(code: string, identity: VaultIdentity): VaultError {
  const request = { ...REQUEST, identity, assertion: { issuer: "https://issuer.example" } };
  const trace = { status: 401, entraCode: code, refusal: "unauthorized_client" };
  return translateError(new Error("outer", { cause: translateSignInError(new Error("x"), request, trace) }), request);
}

const ACCOUNT = { namespace: "shop", name: "cart" };
const requestToken = (): Promise<never> => Promise.reject(new Error("not asked for here"));
const IDENTITIES: readonly VaultIdentity[] = [
  { kind: "servicePrincipal", clientId: "app", clientSecret: Sensitive.ofText("s") },
  { kind: "workloadIdentity", clientId: "app", account: ACCOUNT, requestToken },
  { kind: "identityBinding", clientId: "app", account: ACCOUNT, requestToken },
];

describe("a definite refusal by Entra", () => {
  for (const [code, remedy] of [
    ["AADSTS7000112", /the application is disabled; .*enable/],
    ["AADSTS53003", /a Conditional Access policy blocks the sign-in; .*administrator/],
    ["AADSTS500011", /the requested service does not exist in the tenant; correct cloudName or tenantID$/],
    ["AADSTS7000229", /no service principal in the tenant; .*or correct tenantID$/],
  ] as const) {
    for (const identity of IDENTITIES) {
      test(`SW-6: has its own remedy: ${code} for a ${identity.kind}`, () => {
        const { code: reason, message, retry } = refused(code, identity);

        assert.deepEqual([reason, retry], ["Unauthorized", { kind: "never" }]);
        assert.match(message, remedy);
        assert.doesNotMatch(message, /clientsecret|check client|federated|identity-binding/);
      });
    }
  }

  test("SW-6: of an application without any federated credential says what to add", () => {
    const federate = "subject system:serviceaccount:shop:cart, issuer https://issuer.example, audience api://AzureADTokenExchange";
    const [, workload, binding] = IDENTITIES.map((identity) => refused("AADSTS70025", identity).message);

    assert.ok(workload?.endsWith(`(AADSTS70025): the identity has no matching federated credential; add one: ${federate}`), workload);
    assert.match(binding ?? "", /\(AADSTS70025\): bind the managed identity app to this cluster/);
  });
});

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
