import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { clientEnvironment } from "../../tools/key-vault-emulator/emulator.ts";
import { type SpawnedEmulator, spawnEmulator } from "../../tools/key-vault-emulator/spawn.ts";
import { eventually } from "../support/time/eventually.ts";
import { type SdkProcess, startSdkProcess } from "./sdk-process.ts";
import type { ClientSpec, SdkAnswer, SdkCall, SdkFailure } from "./sdk-protocol.ts";
import { openTunnel, type RawResponse, requestThroughTunnel } from "./tunnel-request.ts";

type Cloud = "public" | "us-government" | "china" | "germany";
type Permission = "get" | "list" | "set";

let stateDir: string;
let emulator: SpawnedEmulator;
let sdk: SdkProcess;
let count = 0;

before(async () => {
  stateDir = await mkdtemp(join(tmpdir(), "key-vault-contract-"));
  emulator = await spawnEmulator(stateDir);
  sdk = startSdkProcess(clientEnvironment(emulator));
});

after(async () => {
  await sdk?.stop();
  await emulator?.stop();
  await rm(stateDir, { recursive: true, force: true });
});

interface Setting {
  readonly vault: string;
  readonly host: string;
  readonly client: ClientSpec;
}

/** Creates a vault for one test, and an identity with these permissions in it. */
async function aVault(permissions: readonly Permission[] = ["get", "list", "set"], cloud: Cloud = "public"): Promise<Setting> {
  count += 1;
  const { name, url, tenantId } = await emulator.createVault({ name: `contract-${count}`, cloud });
  const { appId, clientSecret } = await emulator.createServicePrincipal({ cloud });
  if (permissions.length > 0) await emulator.grant({ vault: name, appId, permissions: [...permissions] });
  return { vault: name, host: new URL(url).host, client: { vaultUrl: url, tenantId, clientId: appId, clientSecret } };
}

async function succeeds(client: ClientSpec, call: SdkCall): Promise<SdkAnswer & { readonly ok: true }> {
  const answer = await sdk.ask({ client, call });
  assert.ok(answer.ok, answer.ok ? "" : `${answer.error.name}: ${answer.error.message}`);
  return answer;
}

async function fails(client: ClientSpec, call: SdkCall): Promise<SdkFailure> {
  const answer = await sdk.ask({ client, call });
  assert.ok(!answer.ok, "the call was expected to fail");
  return answer.error;
}

/** `METHOD path -> status` of requests to these hosts since `after`. */
async function traffic(after: number, hosts: readonly string[]): Promise<readonly string[]> {
  const records = await emulator.requests({ after });
  return records.filter(({ host }) => hosts.includes(host)).map(({ method, path, status }) => `${method} ${path} -> ${status}`);
}

async function lastSequence(): Promise<number> {
  return (await emulator.requests()).at(-1)?.sequence ?? 0;
}

async function accessToken({ client }: Setting, resource = "https://vault.azure.net", host = "login.microsoftonline.com"): Promise<string> {
  const form = new URLSearchParams({
    grant_type: "client_credentials",
    client_id: client.clientId,
    client_secret: client.clientSecret,
    scope: `${resource}/.default`,
  });
  const { status, body } = await requestThroughTunnel(emulator, {
    host,
    path: `/${client.tenantId}/oauth2/v2.0/token`,
    method: "POST",
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
    body: form.toString(),
  });
  assert.equal(status, 200);
  assert.ok(typeof body === "object" && body !== null && "access_token" in body && typeof body.access_token === "string");
  return body.access_token;
}

function rawGet(host: string, path: string, token?: string): Promise<RawResponse> {
  return requestThroughTunnel(emulator, { host, path, headers: token === undefined ? {} : { Authorization: `Bearer ${token}` } });
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

describe("secrets, by the official SDK", () => {
  test("the current version is returned with its value, id, content type and attributes", async () => {
    const { vault, client } = await aVault();
    const { version } = await emulator.setSecret({ vault, name: "db", value: "s3cret", contentType: "text/plain" });

    const { value } = await succeeds(client, { kind: "get", name: "db" });

    assert.partialDeepStrictEqual(value, {
      name: "db",
      value: "s3cret",
      properties: {
        id: `${client.vaultUrl}secrets/db/${version}`,
        version,
        contentType: "text/plain",
        enabled: true,
        recoveryLevel: "Recoverable+Purgeable",
        recoverableDays: 90,
      },
    });
    assert.match(version, /^[0-9a-f]{32}$/);
  });

  test("a pinned version stays readable after a new one became current", async () => {
    const { vault, client } = await aVault();
    const first = await emulator.setSecret({ vault, name: "db", value: "one" });
    await emulator.setSecret({ vault, name: "db", value: "two" });

    const latest = await succeeds(client, { kind: "get", name: "db" });
    const pinned = await succeeds(client, { kind: "get", name: "db", version: first.version });

    assert.partialDeepStrictEqual(latest.value, { value: "two" });
    assert.partialDeepStrictEqual(pinned.value, { value: "one", properties: { version: first.version } });
  });

  test("a value set by the SDK makes a new version with a new id", async () => {
    const { vault, client } = await aVault();

    await succeeds(client, { kind: "set", name: "db", value: "one", options: { contentType: "a/b" } });
    await succeeds(client, { kind: "set", name: "db", value: "two" });

    const versions = await emulator.secretVersions({ vault, name: "db" });
    assert.equal(new Set(versions.map(({ version }) => version)).size, 2);
    assert.deepEqual(
      versions.map(({ contentType }) => contentType),
      ["a/b", undefined],
    );
    assert.partialDeepStrictEqual((await succeeds(client, { kind: "get", name: "db" })).value, { value: "two" });
  });

  test("names are case-insensitive", async () => {
    const { vault, client } = await aVault();
    await emulator.setSecret({ vault, name: "DbPassword", value: "v" });

    assert.partialDeepStrictEqual((await succeeds(client, { kind: "get", name: "dbpassword" })).value, { value: "v", name: "DbPassword" });
  });

  test("a rotated secret keeps its content type and gets a random value", async () => {
    const { vault, client } = await aVault();
    await emulator.setSecret({ vault, name: "db", value: "one", contentType: "a/b" });

    const rotated = await emulator.rotateSecret({ vault, name: "db" });

    assert.notEqual(rotated.value, "one");
    assert.partialDeepStrictEqual((await succeeds(client, { kind: "get", name: "db" })).value, {
      value: rotated.value,
      properties: { contentType: "a/b", version: rotated.version },
    });
  });

  test("a disabled secret is refused with SecretDisabled and served again once enabled", async () => {
    const { vault, client } = await aVault();
    const { version } = await emulator.setSecret({ vault, name: "db", value: "v" });
    await emulator.disableSecret({ vault, name: "db" });

    for (const call of [{ kind: "get", name: "db" } as const, { kind: "get", name: "db", version } as const]) {
      const error = await fails(client, call);
      assert.partialDeepStrictEqual(error, {
        statusCode: 403,
        code: "Forbidden",
        message: "Operation get is not allowed on a disabled secret.",
      });
      assert.match(JSON.stringify(error.details), /"SecretDisabled"/);
    }
    await emulator.enableSecret({ vault, name: "db" });
    assert.partialDeepStrictEqual((await succeeds(client, { kind: "get", name: "db" })).value, { value: "v" });
  });

  test("expired and not yet valid secrets are returned with their dates", async () => {
    const { vault, client } = await aVault();
    const { version } = await emulator.setSecret({ vault, name: "db", value: "v" });

    await succeeds(client, {
      kind: "update",
      name: "db",
      version,
      properties: { notBefore: "2037-01-01T00:00:00.000Z", expiresOn: "2000-01-01T00:00:00.000Z", contentType: "x/y" },
    });

    assert.partialDeepStrictEqual((await succeeds(client, { kind: "get", name: "db" })).value, {
      value: "v",
      properties: {
        version,
        notBefore: "2037-01-01T00:00:00.000Z",
        expiresOn: "2000-01-01T00:00:00.000Z",
        contentType: "x/y",
        enabled: true,
      },
    });
  });

  test("the SDK can disable a version", async () => {
    const { vault, client } = await aVault();
    const { version } = await emulator.setSecret({ vault, name: "db", value: "v" });

    await succeeds(client, { kind: "update", name: "db", version, properties: { enabled: false } });

    assert.partialDeepStrictEqual(await fails(client, { kind: "get", name: "db" }), { statusCode: 403 });
  });

  test("an absent secret and an absent version are SecretNotFound, naming what was asked", async () => {
    const { vault, client } = await aVault();
    await emulator.setSecret({ vault, name: "db", value: "v" });
    const absent = "0".repeat(32);

    const noSecret = await fails(client, { kind: "get", name: "nope" });
    const noVersion = await fails(client, { kind: "get", name: "db", version: absent });

    assert.partialDeepStrictEqual(noSecret, { statusCode: 404, code: "SecretNotFound" });
    assert.match(noSecret.message, /^A secret with \(name\/id\) nope was not found in this key vault\. If you recently deleted/);
    assert.partialDeepStrictEqual(noVersion, { statusCode: 404, code: "SecretNotFound" });
    assert.match(noVersion.message, new RegExp(`^A secret with \\(name/id\\) db/${absent} was not found`));
  });

  test("a deleted secret is not found", async () => {
    const { vault, client } = await aVault();
    await emulator.setSecret({ vault, name: "db", value: "v" });
    await emulator.deleteSecret({ vault, name: "db" });

    assert.partialDeepStrictEqual(await fails(client, { kind: "get", name: "db" }), { statusCode: 404, code: "SecretNotFound" });
  });

  test("versions are listed without values", async () => {
    const { vault, client } = await aVault();
    const made = [
      await emulator.setSecret({ vault, name: "db", value: "v1" }),
      await emulator.setSecret({ vault, name: "db", value: "v2" }),
    ];

    const { value } = await succeeds(client, { kind: "versions", name: "db" });

    assert.ok(Array.isArray(value));
    assert.deepEqual(value.map(({ version }) => String(version)).sort(), made.map(({ version }) => version).sort());
    assert.ok(value.every((item) => !("value" in item)));
  });

  test("a list of secrets comes in pages of 25, disabled ones included", async () => {
    const { vault, client } = await aVault();
    const names = Array.from({ length: 60 }, (_, at) => `secret-${String(at).padStart(2, "0")}`);
    for (const name of names) await emulator.setSecret({ vault, name, value: "v" });
    await emulator.disableSecret({ vault, name: "secret-03" });
    const start = await lastSequence();

    const { value } = await succeeds(client, { kind: "list" });

    assert.ok(Array.isArray(value));
    assert.deepEqual(
      value.map(({ name }) => String(name)),
      names,
    );
    assert.equal(value[3].enabled, false);
    const pages = (await traffic(start, [new URL(client.vaultUrl).host])).filter((line) => line.endsWith("200"));
    assert.equal(pages.length, 3);
  });

  const pem = `-----BEGIN KEY-----\r\n${randomBytes(300).toString("base64")}\r\n-----END KEY-----\r\n`;
  const large = "ü".repeat(12_800);
  for (const [what, value] of [
    ["unicode", "pässwörd ☃ 🔑 \u0000 \u2028 \\ \" '"],
    ["newlines of both kinds", `\n${pem}\n\n`],
    ["25 KB", large],
    ["nothing", ""],
  ] as const) {
    test(`a value of ${what} comes back byte for byte, however it was set`, async () => {
      const { vault, client } = await aVault();
      await emulator.setSecret({ vault, name: "by-state", value });
      await succeeds(client, { kind: "set", name: "by-sdk", value });

      for (const name of ["by-state", "by-sdk"]) {
        assert.equal((await succeeds(client, { kind: "get", name })).sha256, sha256(value));
      }
    });
  }

  test("a value over 25 KB is refused", async () => {
    const { client } = await aVault();

    assert.partialDeepStrictEqual(await fails(client, { kind: "set", name: "db", value: `${large}x` }), {
      statusCode: 400,
      code: "BadParameter",
    });
  });

  test("a name that no secret can have is refused", async () => {
    const { client } = await aVault();

    const error = await fails(client, { kind: "get", name: "db_password" });

    assert.partialDeepStrictEqual(error, { statusCode: 400, code: "BadParameter" });
    assert.match(error.message, /The request URI contains an invalid name: db_password/);
  });
});

describe("permissions", () => {
  test("each operation needs its own, and the refusal names it and the caller", async () => {
    const setting = await aVault([]);
    const { vault, host, client } = setting;
    const { version } = await emulator.setSecret({ vault, name: "db", value: "v" });
    const refusalOf = (permission: Permission): RegExp =>
      new RegExp(`'appid=${client.clientId};oid=.*does not have secrets ${permission} permission on key vault '${vault};`);
    const calls: readonly [SdkCall, Permission][] = [
      [{ kind: "get", name: "db" }, "get"],
      [{ kind: "list" }, "list"],
      [{ kind: "versions", name: "db" }, "list"],
      [{ kind: "set", name: "db", value: "x" }, "set"],
      [{ kind: "update", name: "db", version, properties: { enabled: true } }, "set"],
    ];

    for (const [call, permission] of calls) {
      const error = await fails(client, call);
      assert.partialDeepStrictEqual(error, { statusCode: 403, code: "Forbidden" });
      // The SDK drops the body of a rejected page.
      if (permission === "list") continue;
      assert.match(error.message, refusalOf(permission));
      assert.match(JSON.stringify(error.details), /"AccessDenied"/);
    }
    const { body } = await rawGet(host, "/secrets?api-version=7.4", await accessToken(setting));
    assert.match(JSON.stringify(body), refusalOf("list"));
  });

  test("a grant and a revocation work at once, without a new sign-in", async () => {
    const { vault, client } = await aVault([]);
    await emulator.setSecret({ vault, name: "db", value: "v" });

    assert.partialDeepStrictEqual(await fails(client, { kind: "get", name: "db" }), { statusCode: 403 });
    await emulator.grant({ vault, appId: client.clientId, permissions: ["get"] });
    await succeeds(client, { kind: "get", name: "db" });
    await emulator.revoke({ vault, appId: client.clientId });
    assert.partialDeepStrictEqual(await fails(client, { kind: "get", name: "db" }), { statusCode: 403 });
  });
});

describe("signing in", () => {
  test("a client is challenged once, fetches a token once, and then reads without either", async () => {
    const { vault, host, client } = await aVault();
    await emulator.setSecret({ vault, name: "db", value: "v" });
    const start = await lastSequence();

    await succeeds(client, { kind: "get", name: "db" });
    await succeeds(client, { kind: "get", name: "db" });

    const seen = await traffic(start, [host, "login.microsoftonline.com"]);
    const decisive = seen.filter((line) => !line.startsWith("GET /common/") && !line.includes(".well-known"));
    assert.deepEqual(decisive, [
      "GET /secrets/db/ -> 401",
      `POST /${client.tenantId}/oauth2/v2.0/token -> 200`,
      "GET /secrets/db/ -> 200",
      "GET /secrets/db/ -> 200",
    ]);
  });

  test("the log says who asked, with which API version", async () => {
    const { vault, host, client } = await aVault();
    await emulator.setSecret({ vault, name: "db", value: "v" });
    await succeeds(client, { kind: "get", name: "db" });

    const records = (await emulator.requests()).filter((record) => record.host === host);

    assert.deepEqual(
      records.map(({ status, identity }) => [status, identity]),
      [
        [401, undefined],
        [200, client.clientId],
      ],
    );
    assert.match(records[1]?.apiVersion ?? "", /^(7\.\d|20\d\d-\d\d-\d\d)/);
  });

  const rejections: readonly [string, (setting: Setting) => Partial<ClientSpec>, number, string][] = [
    ["a wrong client secret", () => ({ clientSecret: "wrong" }), 7000215, "invalid_client"],
    ["an unknown application", () => ({ clientId: "11111111-2222-3333-4444-555555555555" }), 700016, "unauthorized_client"],
  ];
  for (const [what, change, code, kind] of rejections) {
    test(`${what} is AADSTS${code}, and no value is read`, async () => {
      const setting = await aVault();
      const error = await fails({ ...setting.client, ...change(setting) }, { kind: "get", name: "db" });

      assert.match(`${error.name} ${error.message}`, new RegExp(`AADSTS${code}: `));
      assert.match(JSON.stringify(error), new RegExp(kind));
    });
  }

  test("a tenant that does not exist is AADSTS90002, one that can't AADSTS900023", async () => {
    const form = { method: "POST", body: "grant_type=client_credentials" };
    const login = { host: "login.microsoftonline.com", ...form };

    const unknown = await requestThroughTunnel(emulator, { ...login, path: "/11111111-2222-3333-4444-555555555555/oauth2/v2.0/token" });
    const malformed = await requestThroughTunnel(emulator, { ...login, path: "/nonsense/oauth2/v2.0/token" });

    assert.equal(unknown.status, 400);
    assert.partialDeepStrictEqual(unknown.body, { error: "invalid_tenant", error_codes: [90002] });
    assert.partialDeepStrictEqual(malformed.body, { error: "invalid_request", error_codes: [900023] });
    for (const { body } of [unknown, malformed]) {
      assert.deepEqual(Object.keys(Object(body)), [
        "error",
        "error_description",
        "error_codes",
        "timestamp",
        "trace_id",
        "correlation_id",
        "error_uri",
      ]);
    }
  });

  test("a replaced client secret stops working and the new one works", async () => {
    const { vault, client } = await aVault();
    await emulator.setSecret({ vault, name: "db", value: "v" });

    const { clientSecret } = await emulator.setClientSecret({ appId: client.clientId });

    assert.match((await fails(client, { kind: "get", name: "db" })).message, /AADSTS7000215/);
    await succeeds({ ...client, clientSecret }, { kind: "get", name: "db" });
  });

  test("an expired token is refused, and the SDK signs in again by itself", async () => {
    const setting = await aVault();
    const { vault, host, client } = setting;
    await emulator.setSecret({ vault, name: "db", value: "v" });
    await emulator.setTokenLifetime({ seconds: 3 });
    try {
      const start = await lastSequence();
      await succeeds(client, { kind: "get", name: "db" });
      const token = await accessToken(setting);
      const refused = await eventually(
        async () => {
          const response = await rawGet(host, "/secrets/db?api-version=7.4", token);
          return response.status === 401 ? response : undefined;
        },
        { within: 10_000, every: 100, what: "the refusal of an expired token" },
      );
      assert.match(JSON.stringify(refused.body), /\[TokenExpired\]/);
      assert.match(String(refused.headers["www-authenticate"]), /^Bearer authorization=/);

      await succeeds(client, { kind: "get", name: "db" });

      const byApplication = await emulator.requests({ after: start });
      // The SDK's first token, the test's own, and the SDK's second one.
      assert.equal(byApplication.filter(({ path, identity }) => path.endsWith("/token") && identity === client.clientId).length, 3);
    } finally {
      await emulator.setTokenLifetime({ seconds: 3599 });
    }
  });
});

describe("tokens at the data plane", () => {
  test("a request without one is challenged with the vault's tenant and resource", async () => {
    const { host, client } = await aVault();

    const { status, headers, body } = await rawGet(host, "/secrets/db?api-version=7.4");

    assert.equal(status, 401);
    assert.equal(
      headers["www-authenticate"],
      `Bearer authorization="https://login.microsoftonline.com/${client.tenantId}", resource="https://vault.azure.net"`,
    );
    assert.deepEqual(body, { error: { code: "Unauthorized", message: "AKV10000: Request is missing a Bearer or PoP token." } });
  });

  test("one for another API is refused, naming both audiences", async () => {
    const setting = await aVault();
    const token = await accessToken(setting, "https://management.azure.com");

    const { status, body } = await rawGet(setting.host, "/secrets/db?api-version=7.4", token);

    assert.equal(status, 401);
    assert.match(
      JSON.stringify(body),
      /AKV10022: Invalid audience\. Expected https:\/\/vault\.azure\.net, found: https:\/\/management\.azure\.com\./,
    );
  });

  test("one of another tenant is refused", async () => {
    const { host } = await aVault();
    const tenantId = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";
    const { appId, clientSecret } = await emulator.createServicePrincipal({ tenantId });
    const foreign = { vault: "", host, client: { vaultUrl: "", tenantId, clientId: appId, clientSecret } };

    const { status, body } = await rawGet(host, "/secrets/db?api-version=7.4", await accessToken(foreign));

    assert.equal(status, 401);
    assert.match(JSON.stringify(body), /AKV10032: Invalid issuer/);
  });

  test("one whose claims were changed, one without signature and a random one are refused; the original is not", async () => {
    const setting = await aVault();
    await emulator.setSecret({ vault: setting.vault, name: "db", value: "v" });
    const token = await accessToken(setting);
    const [head = "", payload = "", signature = ""] = token.split(".");
    const claims: unknown = JSON.parse(Buffer.from(payload, "base64url").toString());
    const changed = Buffer.from(JSON.stringify({ ...Object(claims), exp: 9_999_999_999 })).toString("base64url");

    for (const forged of [`${head}.${changed}.${signature}`, `${head}.${payload}.`, "abc"]) {
      const { status, body } = await rawGet(setting.host, "/secrets/db?api-version=7.4", forged);
      assert.equal(status, 401);
      assert.match(JSON.stringify(body), /AKV10046/);
    }
    assert.equal((await rawGet(setting.host, "/secrets/db?api-version=7.4", token)).status, 200);
  });

  test("an API version is required", async () => {
    const setting = await aVault();

    const { status, body } = await rawGet(setting.host, "/secrets/db", await accessToken(setting));

    assert.equal(status, 400);
    assert.match(JSON.stringify(body), /"BadParameter".*api-version/);
  });

  test("a body that is not JSON or lacks a value is refused without quoting it", async () => {
    const setting = await aVault();
    const token = await accessToken(setting);

    for (const body of ["planted-canary", '{"value":{"planted-canary":1}}', '{"valu":"planted-canary"}']) {
      const answer = await requestThroughTunnel(emulator, {
        host: setting.host,
        path: "/secrets/db?api-version=7.4",
        method: "PUT",
        headers: { Authorization: `Bearer ${token}` },
        body,
      });
      assert.equal(answer.status, 400);
      assert.doesNotMatch(JSON.stringify(answer.body), /planted-canary/);
    }
  });
});

describe("the network", () => {
  const authorities: Readonly<Record<Exclude<Cloud, "public">, string>> = {
    "us-government": "https://login.microsoftonline.us",
    china: "https://login.chinacloudapi.cn",
    germany: "https://login.microsoftonline.de",
  };
  for (const [cloud, authorityHost] of Object.entries(authorities)) {
    test(`the ${cloud} cloud works end to end under its own names`, async () => {
      // Keys of the record above.
      const { vault, host, client } = await aVault(["get"], cloud as Cloud);
      await emulator.setSecret({ vault, name: "db", value: "elsewhere" });

      const { value } = await succeeds({ ...client, authorityHost }, { kind: "get", name: "db" });

      assert.partialDeepStrictEqual(value, { value: "elsewhere" });
      assert.ok(!host.endsWith("vault.azure.net"));
    });
  }

  test("a vault that does not exist can't be reached, and the proxy says 502", async () => {
    const { client } = await aVault();

    const error = await fails({ ...client, vaultUrl: "https://no-such-vault.vault.azure.net/" }, { kind: "get", name: "db" });
    const { status, socket } = await openTunnel(emulator, "no-such-vault.vault.azure.net:443");
    socket.destroy();

    assert.equal(error.statusCode, undefined);
    assert.equal(status, 502);
  });

  test("a vault answers in its own cloud only, and not after its deletion", async () => {
    const { vault } = await aVault();
    const statusOf = async (authority: string): Promise<number> => {
      const { status, socket } = await openTunnel(emulator, authority);
      socket.destroy();
      return status;
    };

    assert.equal(await statusOf(`${vault}.vault.azure.net:443`), 200);
    assert.equal(await statusOf(`${vault}.vault.usgovcloudapi.net:443`), 502);
    await emulator.deleteVault({ name: vault });
    assert.equal(await statusOf(`${vault}.vault.azure.net:443`), 502);
  });

  test("every other host, port and plain HTTP is refused, and the refusals are logged", async () => {
    const { vault } = await aVault();
    const start = await lastSequence();
    const others = [
      "example.com:443",
      "login.microsoftonline.com:80",
      `${vault}.vault.azure.net:8443`,
      "vault.azure.net:443",
      "127.0.0.1:443",
    ];

    for (const authority of [...others, `a.${vault}.vault.azure.net:443`, `${vault}.vault.azure.net.example.com:443`]) {
      const { status, socket } = await openTunnel(emulator, authority);
      socket.destroy();
      assert.equal(status, 403, authority);
    }

    const refusals = (await emulator.requests({ after: start })).filter(({ method }) => method === "CONNECT");
    assert.equal(refusals.length, 7);
  });

  test("a client that does not trust the emulator's CA gets nowhere", async () => {
    const { vault, client } = await aVault();
    await emulator.setSecret({ vault, name: "db", value: "v" });
    const { NODE_EXTRA_CA_CERTS: _, ...withoutCa } = clientEnvironment(emulator);
    const stranger = startSdkProcess(withoutCa);
    try {
      const answer = await stranger.ask({ client, call: { kind: "get", name: "db" } });
      assert.ok(!answer.ok);
      assert.match(JSON.stringify(answer.error), /certificate/i);
    } finally {
      await stranger.stop();
    }
  });
});

describe("what the emulator keeps to itself", () => {
  test("values, client secrets and tokens are neither in the request log nor in its output", async () => {
    const setting = await aVault();
    const { vault, client } = setting;
    const value = `canary-${randomBytes(18).toString("base64url")}`;
    await succeeds(client, { kind: "set", name: "db", value });
    await succeeds(client, { kind: "get", name: "db" });
    await emulator.rotateSecret({ vault, name: "db", value: `${value}-2` });
    await fails({ ...client, clientSecret: `${value}-wrong` }, { kind: "get", name: "db" });
    const token = await accessToken(setting);
    const needles = [value, Buffer.from(value).toString("base64"), client.clientSecret, token];

    const places = { log: JSON.stringify(await emulator.requests()), output: emulator.output() };

    for (const [place, content] of Object.entries(places)) assert.deepEqual(traces(content, needles), [], place);
    assert.match(places.log, new RegExp(client.clientId));
    assert.match(places.output, /HTTPS_PROXY/);
  });

  test("a planted value is found by the same search", async () => {
    const { host } = await aVault();
    const value = `canary-${randomBytes(18).toString("base64url")}`;
    await rawGet(host, `/secrets/${value}?api-version=7.4`);

    assert.deepEqual(traces(JSON.stringify(await emulator.requests()), [value]), [value]);
  });

  test("its admin endpoint wants the token of a file that only the owner can read", async () => {
    const response = await fetch(`${emulator.adminUrl}/requests`, { method: "POST", body: "{}" });
    const { mode } = await stat(join(stateDir, "emulator.json"));

    assert.equal(response.status, 401);
    assert.equal(mode & 0o077, 0);
    assert.match(await readFile(emulator.caFile, "utf8"), /^-----BEGIN CERTIFICATE-----/);
    assert.doesNotMatch(await readFile(emulator.caFile, "utf8"), /PRIVATE/);
  });

  test("wrong input is refused, naming the field", async () => {
    const { vault } = await aVault();

    await assert.rejects(emulator.createVault({ name: "x" }), /name: 3 to 24 letters/);
    await assert.rejects(emulator.createVault({ name: vault }), /name: the vault .* exists already/);
    await assert.rejects(emulator.setSecret({ vault: "absent", name: "db", value: "v" }), /vault: no vault absent; create it first/);
    await assert.rejects(emulator.rotateSecret({ vault, name: "db" }), /name: the vault .* has no secret db; set it first/);
    await assert.rejects(emulator.grant({ vault, appId: "nobody", permissions: ["get"] }), /appId: no service principal nobody/);
  });
});

function traces(content: string, needles: readonly string[]): readonly string[] {
  return needles.filter((needle) => content.includes(needle));
}
