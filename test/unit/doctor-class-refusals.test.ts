import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RestError } from "@azure/keyvault-secrets";

import { translateSignInError } from "../../src/azure/sign-in-errors.ts";
import { translateError } from "../../src/azure/vault-errors.ts";
import type { VaultRequest } from "../../src/azure/vault-request.ts";
import { checkObjects } from "../../src/cli/doctor/class/objects.ts";
import type { ClassContext } from "../../src/cli/shared/class-context.ts";
import { workerCode } from "../../src/cli/shared/worker-code.ts";
import type { VaultClient } from "../../src/domain/ports/vault-client.ts";
import type { ClassObject } from "../../src/domain/provider-class/object-rules.ts";
import { Sensitive } from "../../src/domain/sensitive.ts";
import { VAULT_REQUEST } from "../support/fixtures/vault-request.ts";

type Refuse = (request: VaultRequest) => Error;

/** The adapter's error for a response with these codes. */
function answer(status: number, code: string, innerCode?: string): Refuse {
  const error = new RestError("canary", { statusCode: status });
  error.details = { error: { code, message: "canary", ...(innerCode === undefined ? {} : { innererror: { code: innerCode } }) } };
  return (request) => translateError(error, request);
}

/** The adapter's error if Entra ID rejected the sign-in with this code. */
function noToken(code: string): Refuse {
  return (request) =>
    translateError(new Error("outer", { cause: translateSignInError(new Error(`${code}: canary`), request, {}) }), request);
}

/** The adapter's error if the sign-in service rejected the sign-in with an OAuth code and no Entra code, as AD FS does. */
function refusedSignIn(refusal: string): Refuse {
  return (request) =>
    translateError(new Error("outer", { cause: translateSignInError(new Error("canary"), request, { status: 401, refusal }) }), request);
}

/** The adapter's error for an invalid challenge, which the SDK reports before it sends a token. */
const strangeChallenge: Refuse = (request) =>
  translateError(new Error("canary: the challenge resource 'https://other' does not match the requested domain"), request);

/** The adapter's error if the vault's challenge names a different tenant than the class. */
const otherTenant: Refuse = (request) =>
  translateError(
    new Error("outer", { cause: translateSignInError(new Error("add it to AdditionallyAllowedTenants"), request, {}) }),
    request,
  );

/** Returns doctor's leaf, message, and fix for a class with one secret of this name, which the vault refuses in this way. */
async function reported(name: string, refuse: Refuse, identity = VAULT_REQUEST.identity): Promise<readonly string[]> {
  const getSecret = () => Promise.reject(refuse({ ...VAULT_REQUEST, name, identity }));
  const client = { getSecret } as unknown as VaultClient; // The check makes no other calls.
  const parts = {
    azure: { vaults: { clientFor: () => client } },
    worker: await workerCode(),
    install: { settings: { files: { constructPemChain: true, writeCertAndKeyInSeparateFiles: false } } },
    signal: AbortSignal.timeout(5_000),
  };
  const object: ClassObject = {
    type: "secret",
    name,
    path: name,
    version: undefined,
    history: 0,
    format: "pem",
    encoding: "utf-8",
    filePermission: "",
  };
  const { address } = VAULT_REQUEST;
  const context = parts as unknown as ClassContext; // The check uses neither a cluster nor a clock.
  const { findings } = await checkObjects(context, "team-x", { address, objects: [object] }, identity);
  const finding = findings.find(({ state }) => state !== "OK");
  return [finding?.leaf ?? "", finding?.message ?? "", finding?.fix ?? ""];
}

const ROLE = "Grant the role Key Vault Secrets User on kv";
const GET = "Get on secrets";
const byRbac = answer(403, "Forbidden", "ForbiddenByRbac");

/** Names that look like error codes, within the limits of names in a vault: letters, digits, and dashes. */
const NAMES = [
  "db",
  "ForbiddenByFirewall-notes",
  "ForbiddenByConnection",
  "ForbiddenByNsp",
  "AccessDenied",
  "ForbiddenByPolicy",
  "ForbiddenByRbac",
  "AADSTS7000215",
];

describe("doctor's advice on a refusal goes by the service's code, not by the object's name:", () => {
  for (const name of NAMES) {
    test(`${name}, which the vault refuses by role`, async () => {
      const [leaf, message, fix] = await reported(name, byRbac);
      assert.deepEqual([leaf, fix], ["permission-missing", `${ROLE}.`]);
      assert.equal(
        message,
        `secret/${name}: failed to get objectType:secret, objectName:${name}, objectVersion:: get secret ${name} from https://kv.vault.azure.net/: application the-client of tenant the-tenant is not allowed to get secrets (HTTP 403 Forbidden ForbiddenByRbac); grant it the role Key Vault Secrets User on the vault`,
      );
    });

    test(`${name}, which the vault refuses without saying by which way`, async () => {
      const [leaf, , fix] = await reported(name, answer(403, "Forbidden"));
      assert.deepEqual([leaf, fix], ["permission-missing", `${ROLE}, or ${GET} if kv uses access policies.`]);
    });

    test(`${name}, which the vault refuses by access policy`, async () => {
      for (const code of ["AccessDenied", "ForbiddenByPolicy"]) {
        const [leaf, , fix] = await reported(name, answer(403, "Forbidden", code));
        assert.deepEqual([leaf, fix], ["permission-missing", `Grant ${GET} in the access policies of kv.`], code);
      }
    });

    test(`${name}, which the vault refuses for the network's sake`, async () => {
      for (const [refuse, expected] of [
        [answer(403, "Forbidden", "ForbiddenByFirewall"), "vault-firewall"],
        [answer(403, "Forbidden", "ForbiddenByConnection"), "vault-private"],
        [answer(403, "Forbidden", "ForbiddenByNsp"), "vault-perimeter"],
        [answer(403, "ForbiddenByNsp"), "vault-perimeter"],
        [answer(403, "ForbiddenByNsp", "Other"), "vault-perimeter"],
      ] as const)
        assert.equal((await reported(name, refuse))[0], expected);
    });

    test(`${name}, where the vault rejects the token`, async () => {
      assert.equal((await reported(name, answer(401, "Unauthorized")))[0], "vault-other-tenant");
    });

    test(`${name}, where Entra gives no token`, async () => {
      const [leaf, , fix] = await reported(name, noToken("AADSTS53003"));
      assert.deepEqual([leaf, fix], ["token-refused", "Look up AADSTS53003 at https://login.microsoftonline.com/error?code=53003."]);
      assert.equal((await reported(name, noToken("AADSTS7000222")))[0], "client-secret-expired");
    });
  }

  test("SW-6: an application without any federated credential gets the same advice as one whose credentials do not match", async () => {
    assert.deepEqual((await reported("db", noToken("AADSTS70025")))[0], "not-federated");
  });
});

describe("NV9: an Unauthorized without a code of Entra's", () => {
  const ofCredentials = "Correct clientid and clientsecret of the credentials Secret, or tenantID of the class.";

  for (const [what, refuse, leaf, fix] of [
    ["invalid_client", refusedSignIn("invalid_client"), "token-refused", ofCredentials],
    ["unauthorized_client", refusedSignIn("unauthorized_client"), "token-refused", ofCredentials],
    [
      "invalid_resource",
      refusedSignIn("invalid_resource"),
      "token-refused",
      "Correct tenantID and cloudName of the class: the sign-in service rejects the request with invalid_resource.",
    ],
    [
      "access_denied",
      refusedSignIn("access_denied"),
      "token-refused",
      "Ask an administrator of the tenant the-tenant which policy stops the sign-in of application the-client.",
    ],
    [
      "of a host that is no vault",
      strangeChallenge,
      "vault-fails",
      "Correct cloudName or keyvaultName of the class, or what the vault's name resolves to.",
    ],
    [
      "of another tenant's vault",
      otherTenant,
      "vault-other-tenant",
      "Set tenantID of the class to the id of the tenant that the vault belongs to.",
    ],
    [
      "of the vault",
      answer(401, "Unauthorized"),
      "vault-other-tenant",
      "Set tenantID of the class to the id of the tenant that the vault belongs to.",
    ],
  ] as const) {
    test(`leads to what its own code asks for: ${what}`, async () => {
      const [end, , advice] = await reported("db", refuse);
      assert.deepEqual([end, advice], [leaf, fix]);
    });
  }

  test("leads with an identity binding to the tenant, where that is what is wrong", async () => {
    const account = { namespace: "team-x", name: "web" };
    const bound = {
      kind: "identityBinding",
      clientId: "the-client",
      account,
      requestToken: async () => Sensitive.ofText("canary"),
    } as const;

    assert.equal((await reported("db", otherTenant, bound))[0], "vault-other-tenant");
    assert.equal((await reported("db", refusedSignIn("invalid_client"), bound))[0], "identity-binding-refused");
  });
});
