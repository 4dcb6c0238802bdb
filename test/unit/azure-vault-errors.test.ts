import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inspect } from "node:util";

import { RestError } from "@azure/keyvault-secrets";
import { AbsentPart } from "../../src/azure/absent-part.ts";
import { CallTimeout } from "../../src/azure/bounded-call.ts";
import { translateSignInError } from "../../src/azure/sign-in-errors.ts";
import type { SignInTrace } from "../../src/azure/sign-in-trace.ts";
import { translateError } from "../../src/azure/vault-errors.ts";
import type { VaultRequest } from "../../src/azure/vault-request.ts";
import { VaultError } from "../../src/domain/ports/vault-error.ts";
import type { VaultIdentity } from "../../src/domain/ports/vault-identity.ts";
import { VAULT_REQUEST } from "../support/fixtures/vault-request.ts";

const REQUEST: VaultRequest = { ...VAULT_REQUEST, name: "DemoSecret" };

const FEDERATED: VaultIdentity = {
  kind: "workloadIdentity",
  clientId: "the-client",
  account: { namespace: "shop", name: "cart" },
  requestToken: () => Promise.reject(new Error("not asked for here")),
};

/** The error of a vault request whose sign-in failed with this error. */
function noToken(error: unknown, request: VaultRequest = REQUEST, trace: SignInTrace = {}): VaultError {
  return translateError(new Error("outer", { cause: translateSignInError(error, request, trace) }), request);
}

interface Reported {
  readonly code?: string;
  readonly innerCodes?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** The error that the SDK throws for a response. Each part that must not appear in a message contains "canary". */
function anAnswer(status: number, { code, innerCodes = [], headers = {} }: Reported = {}): RestError {
  const get = (name: string) => headers[name.toLowerCase()];
  const response = { status, bodyAsText: "canary", headers: { get }, request: { headers: { authorization: "Bearer canary" } } };
  // Only the parts that the adapter may read are real.
  const options = { statusCode: status, code: "canary", response } as unknown as ConstructorParameters<typeof RestError>[1];
  const error = new RestError("canary", options);
  const innerError = innerCodes.reduceRight<unknown>((inner, each) => ({ code: each, innerError: inner }), undefined);
  error.details = { error: code === undefined ? undefined : { code, message: "canary", innerError } };
  return error;
}

describe("an answer of the vault", () => {
  for (const [status, reported, expected] of [
    [404, { code: "SecretNotFound" }, "NotFound"],
    [404, {}, "Unreachable"],
    [403, { code: "Forbidden", innerCodes: ["SecretDisabled"] }, "Disabled"],
    [403, { code: "Forbidden", innerCodes: ["SecretExpired"] }, "Expired"],
    [403, { code: "Forbidden", innerCodes: ["SecretNotYetValid"] }, "NotYetValid"],
    [403, { code: "Forbidden", innerCodes: ["ForbiddenByRbac"] }, "Forbidden"],
    [403, { code: "Forbidden", innerCodes: ["Outer", "ForbiddenByFirewall"] }, "NetworkForbidden"],
    [403, { code: "Forbidden" }, "Forbidden"],
    [403, {}, "Unreachable"],
    [401, { code: "Unauthorized" }, "Unauthorized"],
    [400, { code: "BadParameter" }, "Invalid"],
    [408, {}, "Unreachable"],
    [500, { code: "InternalError" }, "Unreachable"],
    [503, {}, "Unreachable"],
    [200, {}, "Unreachable"],
  ] as const satisfies readonly (readonly [number, Reported, string])[]) {
    test(`${status} ${JSON.stringify(reported)} is ${expected}`, () => {
      const error = translateError(anAnswer(status, reported), REQUEST);
      assert.equal(error.code, expected);
      assert.equal(error.retry.kind, expected === "Unreachable" ? "backoff" : "never");
      assert.match(error.message, new RegExp(`^get secret DemoSecret from https://kv\\.vault\\.azure\\.net/: .*HTTP ${status}`));
    });
  }

  for (const [headers, retry] of [
    [{}, { kind: "backoff" }],
    [{ "retry-after": "17" }, { kind: "after", milliseconds: 17_000 }],
    [
      { "retry-after-ms": "250", "retry-after": "17" },
      { kind: "after", milliseconds: 250 },
    ],
    [{ "retry-after": "999999" }, { kind: "after", milliseconds: 3_600_000 }],
    [{ "retry-after": new Date(0).toUTCString() }, { kind: "after", milliseconds: 0 }],
    [{ "retry-after": "soon" }, { kind: "backoff" }],
  ] as const) {
    test(`429 with ${JSON.stringify(headers)} is Throttled, to be retried ${JSON.stringify(retry)}`, () => {
      const error = translateError(anAnswer(429, { code: "Throttled", headers }), REQUEST);
      assert.equal(error.code, "Throttled");
      assert.deepEqual(error.retry, retry);
    });
  }

  for (const [reported, what, remedy] of [
    [{ code: "Forbidden", innerCodes: ["ForbiddenByFirewall"] }, "the vault's firewall refuses this address", "outbound address"],
    [
      { code: "Forbidden", innerCodes: ["ForbiddenByConnection"] },
      "the vault does not allow public network access",
      "an approved private endpoint",
    ],
    [{ code: "Forbidden", innerCodes: ["ForbiddenByNsp"] }, "the vault's network security perimeter refuses", "inbound access rule"],
    [{ code: "ForbiddenByNsp" }, "the vault's network security perimeter refuses", "inbound access rule"],
  ] as const) {
    test(`V3: of the network gets the network's remedy, and names no right: ${JSON.stringify(reported)}`, () => {
      const { message } = translateError(anAnswer(403, reported), REQUEST);
      const [, words = ""] = message.split(": ");
      assert.ok(words.startsWith(what), message);
      assert.match(message, new RegExp(`\\(HTTP 403 Forbidden.*\\); .*${remedy}`));
      assert.doesNotMatch(message, /role|access polic|not allowed/);
    });
  }

  for (const [innerCode, remedy] of [
    ["ForbiddenByRbac", "grant it the role Key Vault Secrets User on the vault"],
    ["ForbiddenByPolicy", "grant it Get on secrets in the vault's access policies"],
    ["AccessDenied", "grant it Get on secrets in the vault's access policies"],
    ["Other", "grant it the role Key Vault Secrets User, or Get on secrets if the vault uses access policies"],
  ] as const) {
    // The other codes had correct advice before the fix.
    const id = innerCode === "AccessDenied" ? "V3: " : "";
    test(`${id}of rights names those that the vault goes by: ${innerCode}`, () => {
      const { message } = translateError(anAnswer(403, { code: "Forbidden", innerCodes: [innerCode] }), REQUEST);
      assert.ok(message.endsWith(`is not allowed to get secrets (HTTP 403 Forbidden ${innerCode}); ${remedy}`), message);
    });
  }

  test("lends the message nothing but its code words", () => {
    const error = translateError(anAnswer(403, { code: "canary: text with spaces", innerCodes: ["also text"] }), REQUEST);
    const everything = `${error.message}${error.stack}${inspect(error, { depth: 12, showHidden: true })}${JSON.stringify(error)}`;
    assert.doesNotMatch(everything, /canary|also text|authorization/i);
    assert.match(inspect(anAnswer(403), { depth: 12, showHidden: true }), /canary/, "control: the SDK's error does hold it");
  });
});

describe("a failure without an answer", () => {
  for (const [translate, message, code, origin] of [
    [noToken, "x AADSTS7000215: Invalid client secret canary", "Unauthorized", "signIn"],
    [noToken, "AADSTS90033: A transient error has occurred", "Unreachable", "signIn"],
    [noToken, "The current credential is not configured … AdditionallyAllowedTenants …", "Unauthorized", "class"],
    [noToken, "whatever canary", "Unreachable", "own"],
    [translateError, "The challenge resource 'example.test' does not match the requested domain.", "Unauthorized", "vault"],
    [translateError, "whatever canary", "Unreachable", "own"],
  ] as const) {
    test(`"${message.slice(0, 40)}" is ${code}, of ${origin}`, () => {
      for (const error of [new Error(message), new Error("outer", { cause: new Error(message) })]) {
        const translated = translate(error, REQUEST);
        const retry = code === "Unreachable" ? "backoff" : "never";
        assert.deepEqual([translated.code, translated.origin, translated.retry.kind], [code, origin, retry]);
        assert.doesNotMatch(translated.message, /canary/);
      }
    });
  }

  for (const [what, trace, code, origin, words] of [
    ["refused connection", { code: "ECONNREFUSED" }, "Unreachable", "signIn", /no connection \(ECONNREFUSED\): the connection is refused/],
    ["busy answer", { status: 503 }, "Unreachable", "signIn", /no valid response \(HTTP 503\)/],
    ["silence", { unusable: new CallTimeout("no answer within 25 s") }, "Unreachable", "signIn", /: no answer within 25 s; check/],
    [
      "tenant that is none",
      { status: 400, entraCode: "AADSTS90002" },
      "Unauthorized",
      "signIn",
      /\(AADSTS90002\): the tenant does not exist/,
    ],
    [
      "refusal by AD FS",
      { status: 401, refusal: "invalid_client" },
      "Unauthorized",
      "signIn",
      /the request is rejected \(HTTP 401 invalid_client\)/,
    ],
    [
      "proxy that refuses",
      { code: "PROXY_ANSWERED_403" },
      "Unreachable",
      "proxy",
      /does not open a tunnel to login\.microsoftonline\.com \(HTTP 403\)/,
    ],
    ["proxy that is not there", { code: "PROXY_ECONNREFUSED" }, "Unreachable", "proxy", /the proxy cannot be reached \(ECONNREFUSED\)/],
  ] as const) {
    test(`of a sign-in that the SDK says nothing of is told by its last request: a ${what}`, () => {
      const error = noToken(new Error("network_error"), REQUEST, trace);
      assert.deepEqual([error.code, error.origin], [code, origin]);
      assert.match(error.message, /no token from https:\/\/login\.microsoftonline\.com\/ for application the-client/);
      assert.match(error.message, words);
    });
  }

  for (const [what, error, origin, words] of [
    ["silence", new CallTimeout("no answer within 30 s"), "vault", /no answer within 30 s from the vault/],
    [
      "page of somebody else",
      new RestError("canary", { code: "PARSE_ERROR" }),
      "vault",
      /no valid response \(PARSE_ERROR\) from the vault/,
    ],
    [
      "tunnel that the proxy refuses",
      new RestError("canary", { code: "PROXY_ANSWERED_502" }),
      "proxy",
      /does not open a tunnel to kv\.vault.*\(HTTP 502\)/,
    ],
    ["proxy that is not there", new RestError("canary", { code: "PROXY_ENOTFOUND" }), "proxy", /the proxy cannot be reached \(ENOTFOUND\)/],
  ] as const) {
    test(`of a request to the vault is the party's that it came to: a ${what}`, () => {
      const translated = translateError(error, REQUEST);
      assert.deepEqual([translated.code, translated.origin], ["Unreachable", origin]);
      assert.match(translated.message, words);
      assert.doesNotMatch(translated.message, /canary|login\.microsoftonline/);
    });
  }

  for (const [code, words] of [
    ["ENOTFOUND", /does not resolve/],
    ["ECONNREFUSED", /HTTPS_PROXY/],
    ["SELF_SIGNED_CERT_IN_CHAIN", /NODE_EXTRA_CA_CERTS/],
  ] as const) {
    test(`${code} is Unreachable, with what to check`, () => {
      const error = translateError(new RestError("canary", { code }), REQUEST);
      assert.equal(error.code, "Unreachable");
      assert.match(error.message, words);
    });
  }

  test("of an answer that lacks a part keeps the provider's text apart", () => {
    const { code, message, providerText } = translateError(new AbsentPart("secret id is nil"), REQUEST);
    assert.deepEqual([code, providerText], ["Invalid", "secret id is nil"]);
    assert.match(message, /^get secret DemoSecret from https:\/\/kv\.vault\.azure\.net\/: the vault's response does not contain it/);
  });

  test("may be anything at all", () => {
    for (const error of [undefined, null, "canary", 5, {}, Object.assign(new Error("x"), { cause: "loop" })]) {
      assert.equal(translateError(error, REQUEST).code, "Unreachable");
    }
    const loop = new Error("loop");
    loop.cause = loop;
    assert.equal(translateError(loop, REQUEST).code, "Unreachable");
  });
});

describe("a refusal of a ServiceAccount's token", () => {
  const request: VaultRequest = { ...REQUEST, identity: FEDERATED, assertion: { issuer: "https://issuer.example" } };
  const federate = "subject system:serviceaccount:shop:cart, issuer https://issuer.example, audience api://AzureADTokenExchange";

  for (const code of ["AADSTS70021", "AADSTS700211", "AADSTS700212", "AADSTS700213", "AADSTS7002138"]) {
    test(`by ${code} is Unauthorized and says what to federate`, () => {
      const error = noToken(new Error(`${code}: No matching federated identity record found … canary`), request);
      assert.deepEqual([error.code, error.retry.kind], ["Unauthorized", "never"]);
      assert.ok(error.message.endsWith(`(${code}): the identity has no matching federated credential; add one: ${federate}`));
    });
  }

  for (const [code, words] of [
    ["AADSTS700016", /correct clientID or tenantID$/],
    ["AADSTS700024", /clock/],
    ["AADSTS7000272", /key set/],
    ["AADSTS90061", /Entra cannot read the issuer's keys/],
    ["AADSTS123456", /check clientID, tenantID and the federated credential: subject system:serviceaccount:shop:cart/],
  ] as const) {
    test(`by ${code} has its own remedy, and none about a client secret`, () => {
      const { message } = noToken(new Error(code), request);
      assert.match(message, words);
      assert.doesNotMatch(message, /clientsecret|clientid/);
    });
  }

  test("before its issuer is known names the API server's setting", () => {
    const { message } = noToken(new Error("AADSTS700213"), { ...request, assertion: { issuer: undefined } });
    assert.match(message, /issuer the API server's --service-account-issuer,/);
  });

  test("by the API server keeps its own words and code, however deep the SDK has wrapped it", () => {
    const ours = new VaultError("IdentityUnavailable", "there is no ServiceAccount cart", { retry: { kind: "backoff" }, origin: "class" });
    const error = noToken(new Error("AADSTS700213 outer", { cause: new Error("middle", { cause: ours }) }), request);
    assert.deepEqual([error.code, error.origin, error.retry.kind], ["IdentityUnavailable", "class", "backoff"]);
    assert.match(error.message, /^get secret DemoSecret from .*: there is no ServiceAccount cart$/);
  });
});

describe("a failure of the node's metadata service", () => {
  const request = (clientId?: string): VaultRequest => ({ ...REQUEST, identity: { kind: "managedIdentity", clientId } });
  const thrown = (message: string): Error => Object.assign(new Error(`${message} canary`), { name: "CredentialUnavailableError" });

  for (const [message, code, words] of [
    ["Description: Identity not found", "IdentityUnavailable", /the node does not have this identity; .*userAssignedIdentityID/],
    ["Multiple user assigned identities exist, please specify", "IdentityUnavailable", /set userAssignedIdentityID to the client id/],
    ["invalid_request: Error(s)", "IdentityUnavailable", /takes a client id, not a resource id/],
    ["invalid_resource: AADSTS500011: The resource principal", "IdentityUnavailable", /AADSTS500011.*cloudName/],
    ["network_error: Network request failed", "Unreachable", /169\.254\.169\.254.*use workload identity/],
  ] as const) {
    test(`"${message.slice(0, 40)}" is ${code}`, () => {
      const error = noToken(thrown(message), request("the-client"));
      assert.deepEqual([error.code, error.origin], [code, "metadataService"]);
      assert.match(error.message, words);
      assert.doesNotMatch(error.message, /canary/);
    });
  }

  test("for the system-assigned identity says how to get one", () => {
    assert.match(
      noToken(thrown("Identity not found"), request()).message,
      /system-assigned identity .*: the node has no identity; enable one/,
    );
  });

  test("is none for another identity's error of that name", () => {
    assert.doesNotMatch(noToken(thrown("Identity not found"), REQUEST).message, /the node/);
  });
});
