import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";

import { dispatch } from "../../tools/key-vault-emulator/cli/dispatch.ts";
import { EmulatorSetting, type Setting } from "./emulator-setting.ts";
import type { ClientSpec } from "./sdk-protocol.ts";
import { requestThroughTunnel } from "./tunnel-request.ts";

const ISSUER = "https://kubernetes.default.svc.cluster.local";
const SUBJECT = "system:serviceaccount:shop:web";
const AUDIENCE = "api://AzureADTokenExchange";

/** A cluster's signing key, with the id that Kubernetes derives for it. */
interface ClusterKey {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly kid: string;
}

function newClusterKey(): ClusterKey {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const kid = createHash("sha256")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest("base64url");
  return { privateKey, publicKey, kid };
}

const pemOf = (key: KeyObject): string => key.export({ type: "spki", format: "pem" }).toString();

const clusterKey = newClusterKey();
let setting: EmulatorSetting;

before(async () => {
  setting = await EmulatorSetting.start();
  await setting.emulator.trustIssuer({ issuer: ISSUER, publicKeyPem: pemOf(clusterKey.publicKey) });
});

after(() => setting?.stop());

type Claims = Readonly<Record<string, unknown>>;

/** A service-account token. */
function tokenOf(claims: Claims = {}, { privateKey, kid }: ClusterKey = clusterKey, head: Claims = {}): string {
  const now = Math.floor(Date.now() / 1000);
  const all = { iss: ISSUER, sub: SUBJECT, aud: [AUDIENCE], iat: now, nbf: now, exp: now + 600, ...claims };
  const signed = [{ alg: "RS256", kid, ...head }, all].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  return `${signed}.${sign("sha256", Buffer.from(signed), privateKey).toString("base64url")}`;
}

/** A vault with one secret that an application with a federated credential may read. */
async function aFederatedVault(): Promise<Setting> {
  const made = await setting.aVault();
  await setting.emulator.addFederatedCredential({ appId: made.client.clientId, issuer: ISSUER, subject: SUBJECT });
  await setting.emulator.setSecret({ vault: made.vault, name: "db", value: "v" });
  return made;
}

interface EntraAnswer {
  readonly status: number;
  readonly error?: string;
  readonly error_codes?: readonly number[];
  readonly error_description?: string;
}

async function signIn(
  { tenantId, clientId }: ClientSpec,
  assertion: string,
  change: Readonly<Record<string, string>> = {},
): Promise<EntraAnswer> {
  const form = new URLSearchParams({
    grant_type: "client_credentials",
    client_id: clientId,
    scope: "https://vault.azure.net/.default",
    client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    client_assertion: assertion,
    ...change,
  });
  const { status, body } = await requestThroughTunnel(setting.emulator, {
    host: "login.microsoftonline.com",
    path: `/${tenantId}/oauth2/v2.0/token`,
    method: "POST",
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
    body: form.toString(),
  });
  return { status, ...Object(body) };
}

describe("a client assertion", () => {
  test("signs in by ClientAssertionCredential", async () => {
    const { client } = await aFederatedVault();
    const spec: ClientSpec = { ...client, credential: { kind: "assertion", token: tokenOf() } };

    assert.partialDeepStrictEqual(await setting.succeeds(spec, { kind: "get", name: "db" }), { value: "v" });
  });

  test("signs in by WorkloadIdentityCredential, from a file", async () => {
    const { client } = await aFederatedVault();
    const tokenFilePath = join(setting.stateDir, "token");
    await writeFile(tokenFilePath, tokenOf());

    const value = await setting.succeeds(
      { ...client, credential: { kind: "workloadIdentity", tokenFilePath } },
      { kind: "get", name: "db" },
    );

    assert.partialDeepStrictEqual(value, { value: "v" });
    assert.ok((await setting.emulator.requests()).some(({ path, identity }) => path.endsWith("/token") && identity === client.clientId));
  });

  test("of another subject is refused to the SDK with the subject in the message", async () => {
    const { client } = await aFederatedVault();
    const token = tokenOf({ sub: "system:serviceaccount:shop:admin" });

    const error = await setting.fails({ ...client, credential: { kind: "assertion", token } }, { kind: "get", name: "db" });

    assert.match(error.message, /AADSTS700213: .* presented assertion subject 'system:serviceaccount:shop:admin'\./);
  });

  const refusals: readonly [string, () => string, number, string, number, RegExp][] = [
    ["of another issuer", () => tokenOf({ iss: "https://other" }), 401, "invalid_client", 700211, /assertion issuer 'https:\/\/other'/],
    ["for another audience", () => tokenOf({ aud: "sts" }), 401, "invalid_client", 700212, /assertion audience 'sts'/],
    ["of another subject", () => tokenOf({ sub: "x" }), 401, "invalid_client", 700213, /assertion subject 'x'/],
    [
      "whose subject differs in case",
      () => tokenOf({ sub: SUBJECT.toUpperCase() }),
      401,
      "invalid_client",
      7002138,
      /not with case-sensitive/,
    ],
    [
      "that is over",
      () => tokenOf({ exp: 1_700_000_000 }),
      401,
      "invalid_client",
      700024,
      /expiry time of assertion 2023-11-14T22:13:20\.0000000Z/,
    ],
    ["that is yet to come", () => tokenOf({ nbf: 4_000_000_000 }), 401, "invalid_client", 700024, /assertion valid from 2096-/],
    ["by an unknown key", () => tokenOf({}, newClusterKey()), 401, "invalid_client", 7000272, /could not be found in the metadata/],
    [
      "by another key under a known id",
      () => tokenOf({}, { ...newClusterKey(), kid: clusterKey.kid }),
      401,
      "invalid_client",
      50013,
      /signature/,
    ],
    ["of another algorithm", () => tokenOf({}, clusterKey, { alg: "none" }), 400, "invalid_request", 5002730, /Unsupported key/],
    ["that is no token", () => "abc", 400, "invalid_request", 50027, /JWT token is invalid or malformed/],
  ];
  for (const [what, token, status, error, code, description] of refusals) {
    test(`${what} is AADSTS${code}`, async () => {
      const { client } = await aFederatedVault();

      const answer = await signIn(client, token());

      assert.partialDeepStrictEqual(answer, { status, error, error_codes: [code] });
      assert.match(answer.error_description ?? "", description);
      assert.equal((await signIn(client, tokenOf())).status, 200);
    });
  }

  test("whose payload was changed is refused", async () => {
    const { client } = await aFederatedVault();
    const [head, , signature] = tokenOf({ sub: "x" }).split(".");
    const [, payload] = tokenOf().split(".");

    assert.partialDeepStrictEqual(await signIn(client, `${head}.${payload}.${signature}`), { error_codes: [50013] });
  });

  test("without a federated credential is AADSTS70021, naming issuer, subject and audience", async () => {
    const { client } = await setting.aVault();

    const { status, error_description } = await signIn(client, tokenOf());

    assert.equal(status, 401);
    assert.match(
      error_description ?? "",
      /AADSTS70021: .*Assertion Issuer: 'https:\/\/kubernetes.*'\. Assertion Subject: 'system:.*'\. Assertion Audience: 'api:\/\/AzureADTokenExchange'\./,
    );
  });

  test("whose issuer can't be asked for its keys is AADSTS90061; once it can, it is accepted", async () => {
    const { client } = await setting.aVault();
    const [issuer, key] = ["https://new-cluster", newClusterKey()];
    await setting.emulator.addFederatedCredential({ appId: client.clientId, issuer, subject: SUBJECT });

    assert.partialDeepStrictEqual(await signIn(client, tokenOf({ iss: issuer }, key)), { status: 400, error_codes: [90061] });
    await setting.emulator.trustIssuer({ issuer, jwks: { keys: [{ ...key.publicKey.export({ format: "jwk" }), kid: key.kid }] } });
    assert.equal((await signIn(client, tokenOf({ iss: issuer }, key))).status, 200);
  });

  test("is verified by keys fetched from the issuer", async () => {
    const { client } = await setting.aVault();
    const [issuer, key] = ["https://fetched-cluster", newClusterKey()];
    const server = createServer((_, response) =>
      response.end(JSON.stringify({ keys: [{ ...key.publicKey.export({ format: "jwk" }), kid: key.kid }] })),
    );
    await once(server.listen(0, "127.0.0.1"), "listening");
    // A TCP server's address is an object.
    const { port } = server.address() as AddressInfo;
    try {
      await setting.emulator.trustIssuer({ issuer, jwksUri: `http://127.0.0.1:${port}/openid/v1/jwks` });
    } finally {
      server.close();
    }
    await setting.emulator.addFederatedCredential({ appId: client.clientId, issuer, subject: SUBJECT });

    assert.equal((await signIn(client, tokenOf({ iss: issuer }, key))).status, 200);
    await assert.rejects(
      setting.emulator.trustIssuer({ issuer, jwksUri: `http://127.0.0.1:${port}/` }),
      /jwksUri: no key set from .*ECONNREFUSED/,
    );
  });

  test("stops working when the federated credential is removed", async () => {
    const { client } = await aFederatedVault();
    await setting.emulator.removeFederatedCredentials({ appId: client.clientId });

    assert.partialDeepStrictEqual(await signIn(client, tokenOf()), { error_codes: [70021] });
  });

  test("can be set up by hand", async () => {
    const { client } = await setting.aVault();
    const [issuer, key, file] = ["https://by-hand", newClusterKey(), join(setting.stateDir, "sa.pub")];
    await writeFile(file, pemOf(key.publicKey));

    await dispatch(["trust", issuer, file], setting.stateDir);
    await dispatch(["federate", client.clientId, issuer, SUBJECT, "--audience", "mine"], setting.stateDir);

    assert.equal((await signIn(client, tokenOf({ iss: issuer, aud: "mine" }, key))).status, 200);
  });
});

/** Queries the metadata service like `curl`. */
async function imds(
  path: string,
  headers: Readonly<Record<string, string>> = { Metadata: "true" },
): Promise<{ readonly status: number; readonly body: unknown }> {
  const sent = request(`${setting.emulator.imdsUrl}${path}`, { headers, agent: false });
  sent.end();
  const [response] = await once(sent, "response");
  return { status: response.statusCode, body: JSON.parse(await text(response)) };
}

const TOKEN_PATH = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fvault.azure.net";

describe("a managed identity", () => {
  test("system-assigned and user-assigned ones sign in by ManagedIdentityCredential", async () => {
    const { vault, client } = await setting.aVault();
    await setting.emulator.setSecret({ vault, name: "db", value: "v" });
    const { emulator } = setting;
    const system = await emulator.createManagedIdentity({ kind: "system" });
    const users = [await emulator.createManagedIdentity({ kind: "user" }), await emulator.createManagedIdentity({ kind: "user" })];
    try {
      for (const { appId } of [system, ...users]) await emulator.grant({ vault, appId, permissions: ["get"] });
      const [first, second] = users;
      assert.ok(first && second);
      const ways = [
        [{}, system],
        [{ clientId: first.appId }, first],
        [{ resourceId: second.resourceId }, second],
        [{ objectId: second.objectId }, second],
      ] as const;
      for (const [choice, { appId }] of ways) {
        const start = await setting.lastSequence();
        const spec: ClientSpec = { ...client, credential: { kind: "managedIdentity", ...choice } };
        assert.partialDeepStrictEqual(await setting.succeeds(spec, { kind: "get", name: "db" }), { value: "v" });
        const seen = await emulator.requests({ after: start });
        assert.deepEqual(
          seen.filter(({ status }) => status === 200).map(({ host, identity }) => [host, identity]),
          [
            ["169.254.169.254", appId],
            [new URL(client.vaultUrl).host, appId],
          ],
        );
      }
    } finally {
      for (const { appId } of [system, ...users]) await emulator.removeManagedIdentity({ appId });
    }
  });

  test("that is not assigned is refused to the SDK", async () => {
    const { client } = await setting.aVault();
    const spec: ClientSpec = { ...client, credential: { kind: "managedIdentity", clientId: client.clientId } };

    const error = await setting.fails(spec, { kind: "get", name: "db" });

    assert.match(JSON.stringify(error), /Identity not found/);
  });

  test("is chosen alone, and has to be named among several", async () => {
    const printed = await dispatch(["identity", "create", "user"], setting.stateDir);
    const { appId }: { readonly appId: string } = JSON.parse(printed);
    const alone = await imds(TOKEN_PATH);
    const other = await setting.emulator.createManagedIdentity({ kind: "user" });
    const several = await imds(TOKEN_PATH);
    for (const one of [appId, other.appId]) await setting.emulator.removeManagedIdentity({ appId: one });

    assert.partialDeepStrictEqual(alone, {
      status: 200,
      body: { client_id: appId, token_type: "Bearer", resource: "https://vault.azure.net" },
    });
    assert.equal(several.status, 400);
    assert.match(JSON.stringify(several.body), /Multiple user assigned identities exist/);
    assert.doesNotMatch(printed, /clientSecret/);
  });

  test("is refused where the request is not one", async () => {
    await assertRefused(TOKEN_PATH, {}, /Required metadata header not specified/);
    await assertRefused(TOKEN_PATH, { Metadata: "true", "X-Forwarded-For": "10.0.0.1" }, /Required metadata header/);
    await assertRefused("/metadata/identity/oauth2/token?resource=r", { Metadata: "true" }, /'api-version' is missing/);
    await assertRefused("/metadata/identity/oauth2/token?api-version=2018-02-01", { Metadata: "true" }, /'resource' is missing/);
    await assertRefused(TOKEN_PATH, { Metadata: "true" }, /Identity not found/);
    const { appId } = await setting.emulator.createManagedIdentity({ kind: "system" });
    await assertRefused(TOKEN_PATH.replace("vault", "nothing"), { Metadata: "true" }, /invalid_resource.*AADSTS500011/);
    await assert.rejects(setting.emulator.createManagedIdentity({ kind: "system" }), /kind: the machine has a system-assigned identity/);
    await setting.emulator.removeManagedIdentity({ appId });
  });

  async function assertRefused(path: string, headers: Readonly<Record<string, string>>, expected: RegExp): Promise<void> {
    const { status, body } = await imds(path, headers);
    assert.equal(status, 400);
    assert.match(JSON.stringify(body), expected);
  }
});
