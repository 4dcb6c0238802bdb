import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

import { CLOUDS } from "../../src/domain/provider-class/clouds.ts";
import { clientEnvironment, type Emulator, startEmulator } from "../../tools/key-vault-emulator/emulator.ts";
import { type LineProcess, startLineProcess } from "../support/processes/line-process.ts";
import { eventually } from "../support/time/eventually.ts";
import type { Answer, Question } from "./azure-adapter-process.ts";

const PROCESS = fileURLToPath(new URL("./azure-adapter-process.ts", import.meta.url));
const ASK_WITHIN_MS = 30_000;

/** A process like a worker, whose only access to the vaults is its environment. */
class Asker {
  readonly #process: LineProcess<readonly Question[], readonly Answer[]>;

  constructor(environment: Readonly<Record<string, string>>) {
    this.#process = startLineProcess({ command: process.execPath, args: [PROCESS], environment, within: ASK_WITHIN_MS });
  }

  /** All text that it has written to stderr. */
  get stderr(): string {
    return this.#process.stderr();
  }

  askAll(questions: readonly Question[]): Promise<readonly Answer[]> {
    return this.#process.ask(questions);
  }

  async ask(question: Question): Promise<Answer> {
    const [answer] = await this.askAll([question]);
    assert.ok(answer);
    return answer;
  }

  stop(): Promise<void> {
    return this.#process.stop();
  }
}

const vault = `kv-${randomBytes(4).toString("hex")}`;
const value = `value-${randomBytes(18).toString("base64url")}`;
const clientSecret = `client-secret-${randomBytes(18).toString("base64url")}`;
let folder: string;
let emulator: Emulator;
let asker: Asker;
let question: Question;

function expectError(answer: Answer, code: string): Extract<Answer, { kind: "error" }> {
  assert.equal(answer.kind, "error", JSON.stringify(answer));
  assert.equal(answer.code, code, answer.message);
  return answer;
}

function expectSecret(answer: Answer): Extract<Answer, { kind: "secret" }> {
  assert.equal(answer.kind, "secret", JSON.stringify(answer));
  return answer;
}

const decoded = (answer: Answer) => Buffer.from(expectSecret(answer).value, "base64").toString();

/** Every error so far, for the search for leaks. */
const errorsSeen: Extract<Answer, { kind: "error" }>[] = [];

async function ask(change: Partial<Question> = {}, using: Asker = asker): Promise<Answer> {
  const answer = await using.ask({ ...question, ...change });
  if (answer.kind === "error") errorsSeen.push(answer);
  return answer;
}

const changedAddress = (change: Partial<Question["address"]>) => ({ address: { ...question.address, ...change } });

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "azure-adapter-"));
  emulator = await startEmulator({ stateDir: folder });
  const { tenantId } = await emulator.createVault({ name: vault });
  const { appId } = await emulator.createServicePrincipal({ clientSecret });
  await emulator.grant({ vault, appId, permissions: ["get"] });
  await emulator.setSecret({ vault, name: "DemoSecret", value });
  question = {
    address: { vaultUrl: `https://${vault}.vault.azure.net/`, authorityHost: "https://login.microsoftonline.com/", tenantId },
    clientId: appId,
    clientSecret,
    name: "DemoSecret",
  };
  asker = new Asker(clientEnvironment(emulator));
});

after(async () => {
  await asker.stop();
  await emulator.stop();
  await rm(folder, { recursive: true, force: true });
});

describe("a vault client", () => {
  test("hands out the current version, its bytes unchanged, with its facts", async () => {
    const text = "first line\r\nsecond: ü € 😀\u0000end \n";
    await emulator.setSecret({ vault, name: "Odd", value: text, contentType: "text/plain", expires: 4_000_000_000 });

    const answer = expectSecret(await ask({ name: "Odd" }));

    assert.equal(Buffer.from(answer.value, "base64").toString(), text);
    assert.match(answer.version, /^[0-9a-f]{32}$/);
    assert.equal(answer.contentType, "text/plain");
    assert.equal(answer.expires, 4_000_000_000_000);
    assert.ok(answer.updated !== undefined && Math.abs(answer.updated - Date.now()) < 3_600_000);
    assert.equal(answer.keyId, undefined);
  });

  test("hands out a pinned version after a newer one was set", async () => {
    await emulator.setSecret({ vault, name: "Pinned", value: "old" });
    const { version } = expectSecret(await ask({ name: "Pinned" }));
    await emulator.setSecret({ vault, name: "Pinned", value: "new" });

    assert.equal(decoded(await ask({ name: "Pinned", version })), "old");
    assert.equal(decoded(await ask({ name: "Pinned" })), "new");
  });

  test("is made once per identity and vault: one challenge and one token for many calls", async () => {
    const { appId, clientSecret: secret, tenantId } = await emulator.createServicePrincipal({});
    await emulator.grant({ vault, appId, permissions: ["get"] });
    const from = (await emulator.requests()).at(-1)?.sequence ?? 0;
    const mine = { ...question, ...changedAddress({ tenantId }), clientId: appId, clientSecret: secret };

    for (let call = 0; call < 5; call += 1) expectSecret(await asker.ask(mine));

    const requests = await emulator.requests({ after: from });
    assert.equal(requests.filter(({ path }) => path.endsWith("/token")).length, 1);
    assert.equal(requests.filter(({ status }) => status === 401).length, 1);
    assert.equal(requests.filter(({ path, status }) => path.startsWith("/secrets/DemoSecret") && status === 200).length, 5);
  });

  test("answers concurrent first calls of one identity by one sign-in", async () => {
    const { appId, clientSecret: secret, tenantId } = await emulator.createServicePrincipal({});
    await emulator.grant({ vault, appId, permissions: ["get"] });
    const mine = { ...question, ...changedAddress({ tenantId }), clientId: appId, clientSecret: secret };
    const from = (await emulator.requests()).at(-1)?.sequence ?? 0;

    const answers = await asker.askAll(Array.from({ length: 8 }, () => mine));

    assert.deepEqual(
      answers.map(decoded),
      Array.from({ length: 8 }, () => value),
    );
    assert.equal((await emulator.requests({ after: from })).filter(({ path }) => path.endsWith("/token")).length, 1);
  });

  test("uses a changed client secret at once, though the old one's token lives on", async () => {
    const { appId, clientSecret: first } = await emulator.createServicePrincipal({});
    await emulator.grant({ vault, appId, permissions: ["get"] });
    const mine = { clientId: appId, clientSecret: first };
    expectSecret(await ask(mine));
    const { clientSecret: second } = await emulator.setClientSecret({ appId });

    expectSecret(await ask({ ...mine, clientSecret: second }));
    expectError(await ask({ ...mine, clientSecret: "a wrong one" }), "Unauthorized");
  });

  for (const [index, cloud] of (["public", "us-government", "china", "germany"] as const).entries()) {
    test(`asks the ${cloud} cloud's own authority for a token`, async () => {
      const { authorityHost, vaultSuffix } = CLOUDS[index] ?? CLOUDS[0];
      const name = `${vault}-${index}`;
      const { tenantId } = await emulator.createVault({ name, cloud });
      const { appId, clientSecret: secret } = await emulator.createServicePrincipal({ cloud });
      await emulator.grant({ vault: name, appId, permissions: ["get"] });
      await emulator.setSecret({ vault: name, name: "s", value: cloud });
      const from = (await emulator.requests()).at(-1)?.sequence ?? 0;

      const address = { vaultUrl: `https://${name}.${vaultSuffix}/`, authorityHost, tenantId };
      const answer = await ask({ address, clientId: appId, clientSecret: secret, name: "s" });

      assert.equal(decoded(answer), cloud);
      const hosts = new Set(
        (await emulator.requests({ after: from })).filter(({ path }) => path.endsWith("/token")).map(({ host }) => host),
      );
      // The SDK replaces the documented name of the Chinese authority by its other name.
      const expected = cloud === "china" ? "login.partner.microsoftonline.cn" : new URL(authorityHost).host;
      assert.deepEqual([...hosts], [expected]);
    });
  }

  test("V4: accepts a domain of the tenant, as the Azure provider does", async () => {
    const domain = "Contoso.onmicrosoft.com";
    await emulator.addTenantDomain({ tenantId: question.address.tenantId, domain });

    const answer = await ask(changedAddress({ tenantId: domain }));

    assert.ok(answer.kind === "secret", JSON.stringify(answer));
    assert.equal(decoded(answer), value);
  });

  test("accepts the tenant's id in capitals", async () => {
    const { tenantId } = question.address;
    assert.equal(decoded(await ask(changedAddress({ tenantId: tenantId.toUpperCase() }))), value);
  });
});

describe("a failed call", () => {
  test("for a secret that is not there is NotFound and names vault and secret", async () => {
    const { message, retry } = expectError(await ask({ name: "Missing" }), "NotFound");

    assert.match(
      message,
      new RegExp(`^get secret Missing from https://${vault}\\.vault\\.azure\\.net/: not found .*SecretNotFound.*objectName`),
    );
    assert.deepEqual(retry, { kind: "never" });
  });

  test("for a version that is not there is NotFound and names the version", async () => {
    const version = "0".repeat(32);
    assert.match(expectError(await ask({ version }), "NotFound").message, new RegExp(`secret DemoSecret, version ${version}`));
  });

  test("for a disabled version is Disabled, not Forbidden", async () => {
    await emulator.setSecret({ vault, name: "Off", value, enabled: false });

    const { message, retry } = expectError(await ask({ name: "Off" }), "Disabled");

    assert.match(message, /disabled .*SecretDisabled.*enable it/);
    assert.deepEqual(retry, { kind: "never" });
  });

  test("without permission is Forbidden and names the application and what to grant", async () => {
    const { appId, clientSecret: secret } = await emulator.createServicePrincipal({});

    const { message } = expectError(await ask({ clientId: appId, clientSecret: secret }), "Forbidden");

    assert.match(message, new RegExp(`application ${appId} .*grant it Get on secrets in the vault's access policies`));
  });

  test("with a wrong client secret is Unauthorized and names application, tenant, code and key to correct", async () => {
    const { message, retry } = expectError(await ask({ clientSecret: `${clientSecret}x` }), "Unauthorized");

    assert.ok(message.includes(question.clientId) && message.includes(question.address.tenantId), message);
    assert.match(message, /AADSTS7000215.*clientsecret/);
    assert.deepEqual(retry, { kind: "never" });
  });

  test("with an unknown application is Unauthorized and says which parameter to correct", async () => {
    assert.match(expectError(await ask({ clientId: randomUUID() }), "Unauthorized").message, /AADSTS700016.*clientid or tenantID/);
  });

  test("with an unknown tenant is Unauthorized and says which parameter to correct", async () => {
    const { message } = expectError(await ask(changedAddress({ tenantId: randomUUID() })), "Unauthorized");
    assert.match(message, /tenantID/);
  });

  test("V4: with a domain of another tenant than the vault's is Unauthorized, by the vault", async () => {
    const { appId, clientSecret: secret, tenantId } = await emulator.createServicePrincipal({ tenantId: randomUUID() });
    await emulator.addTenantDomain({ tenantId, domain: "fabrikam.com" });

    const answer = await ask({ ...changedAddress({ tenantId: "fabrikam.com" }), clientId: appId, clientSecret: secret });

    assert.match(
      expectError(answer, "Unauthorized").message,
      /the vault rejects the token .*; check that tenantID is the tenant that the vault belongs to/,
    );
  });

  test("V4: with a domain that no tenant has is Unauthorized, by Entra", async () => {
    const answer = await ask(changedAddress({ tenantId: "nowhere.example" }));
    assert.match(expectError(answer, "Unauthorized").message, /AADSTS90002\): the tenant does not exist; correct tenantID/);
  });

  test("for a vault of another tenant is Unauthorized: no token for that tenant is asked for", async () => {
    const other = `${vault}-t`;
    await emulator.createVault({ name: other, tenantId: randomUUID() });
    const from = (await emulator.requests()).at(-1)?.sequence ?? 0;

    const { message } = expectError(await ask(changedAddress({ vaultUrl: `https://${other}.vault.azure.net/` })), "Unauthorized");

    assert.match(message, /does not belong to tenant .*tenantID/);
    const paths = (await emulator.requests({ after: from })).map(({ path }) => path);
    assert.deepEqual(
      paths.filter((path) => path.endsWith("/token")),
      [],
    );
  });

  test("for a vault that does not exist is Unreachable and worth another try", async () => {
    const { retry, message } = expectError(
      await ask(changedAddress({ vaultUrl: "https://no-such-vault.vault.azure.net/" })),
      "Unreachable",
    );

    assert.deepEqual(retry, { kind: "backoff" });
    assert.match(message, /no-such-vault/);
  });

  test("for a host that the proxy refuses is Unreachable, though the proxy's answer is a 403", async () => {
    const { message } = expectError(await ask(changedAddress({ vaultUrl: "https://vault.example.test/" })), "Unreachable");
    assert.match(message, /proxy/);
  });

  for (const name of ["", "..", "a/b", "a?b", "DemoSecret/versions", "x".repeat(128)]) {
    test(`for the name ${JSON.stringify(name.slice(0, 20))} is Invalid and sends nothing`, async () => {
      const from = (await emulator.requests()).at(-1)?.sequence ?? 0;
      expectError(await ask({ name }), "Invalid");
      assert.deepEqual(await emulator.requests({ after: from }), []);
    });
  }

  test("of a caller that stops ends at once with the caller's reason", async () => {
    const answer = await ask({ name: "DemoSecret", isGivenUp: true });
    expectError(answer, "not a VaultError");
  });

  test("where nothing answers ends at its bound as Unreachable", async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket));
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const bound = silent.address();
    assert.ok(bound !== null && typeof bound === "object");
    const waiting = new Asker({ HTTPS_PROXY: `http://127.0.0.1:${bound.port}`, TEST_CALL_TIMEOUT_MS: "300" });

    const { message, retry } = expectError(await ask({}, waiting), "Unreachable");

    assert.match(message, /no answer within 0\.3 s/);
    assert.deepEqual(retry, { kind: "backoff" });
    for (const socket of sockets) socket.destroy();
    silent.close();
    await waiting.stop();
  });
});

describe("a failure names the party that it is of", () => {
  const LOGIN = "login.microsoftonline.com";
  const bounds = { TEST_CALL_TIMEOUT_MS: "1500", TEST_SIGN_IN_TIMEOUT_MS: "1000" };

  /** Runs a new process, whose identity has not signed in yet. */
  async function askAnew(environment: Readonly<Record<string, string>>, change: Partial<Question> = {}) {
    const fresh = new Asker({ ...clientEnvironment(emulator), ...bounds, ...environment });
    const answer = await ask(change, fresh);
    await fresh.stop();
    assert.ok(answer.kind === "error", JSON.stringify(answer));
    return answer;
  }

  const ofToken = () => ({ host: LOGIN, path: `/${question.address.tenantId}/oauth2` });
  const cases: readonly (readonly [
    what: string,
    origin: string,
    words: RegExp,
    plant: () => Promise<unknown>,
    change?: () => Partial<Question>,
  ])[] = [
    [
      "a token service that is busy",
      "signIn",
      /no token from https:\/\/login\.microsoftonline\.com\/ for application .*: the service is busy/,
      () => emulator.injectFault({ ...ofToken(), kind: "status", status: 503 }),
    ],
    [
      "a token service that does not answer",
      "signIn",
      /no token from https:\/\/login\.microsoftonline\.com\/ .*: no answer within 1 s/,
      () => emulator.injectFault({ ...ofToken(), kind: "slow", milliseconds: 600_000 }),
    ],
    [
      "a token service that resets connections",
      "signIn",
      /no token from https:\/\/login\.microsoftonline\.com\/ .*no connection \(ECONNRESET\)/,
      () => emulator.injectFault({ ...ofToken(), kind: "reset", times: 4 }),
    ],
    ["a wrong secret", "signIn", /AADSTS7000215/, async () => undefined, () => ({ clientSecret: "wrong" })],
    [
      "a vault of another tenant",
      "class",
      /does not belong to tenant/,
      () => emulator.createVault({ name: `${vault}-o`, tenantId: randomUUID() }),
      () => changedAddress({ vaultUrl: `https://${vault}-o.vault.azure.net/` }),
    ],
    [
      "a vault that is busy",
      "vault",
      /the vault responds with an error \(HTTP 503 .*\); the worker retries$/,
      () => emulator.injectFault({ vault, kind: "status", status: 503 }),
    ],
    [
      "a vault that does not answer",
      "vault",
      /no answer within 1\.5 s from the vault/,
      () => emulator.injectFault({ vault, kind: "slow", milliseconds: 600_000 }),
    ],
    [
      "a vault that resets connections",
      "vault",
      /no connection to the vault \(ECONNRESET\)/,
      () => emulator.injectFault({ vault, kind: "reset", times: 4 }),
    ],
    ["a vault's refusal", "vault", /HTTP 404/, async () => undefined, () => ({ name: "Missing" })],
    [
      "a proxy that makes no tunnel",
      "proxy",
      /the proxy in HTTPS_PROXY does not open a tunnel to no-such-vault\.vault\.azure\.net \(HTTP 502\).*keyvaultName/,
      async () => undefined,
      () => changedAddress({ vaultUrl: "https://no-such-vault.vault.azure.net/" }),
    ],
  ];
  for (const [what, origin, words, plant, change] of cases) {
    test(`C2: ${what}`, async () => {
      await plant();
      const answer = await askAnew({}, change?.());
      await emulator.clearFaults();
      assert.equal(answer.origin, origin, answer.message);
      assert.match(answer.message, words);
    });
  }

  test("C2: a proxy that is not there", async () => {
    const answer = await askAnew({ HTTPS_PROXY: "http://127.0.0.1:1", https_proxy: "http://127.0.0.1:1" });
    assert.equal(answer.origin, "proxy", answer.message);
    assert.match(answer.message, /the proxy cannot be reached \(ECONNREFUSED\)/);
  });
});

describe("a sign-in that is never answered", () => {
  test("C4: ends at its bound, and the next one gets its token", async () => {
    const { appId, clientSecret: secret } = await emulator.createServicePrincipal({});
    await emulator.grant({ vault, appId, permissions: ["get"] });
    const { tenantId } = question.address;
    const host = "login.microsoftonline.com";
    await emulator.injectFault({ host, path: `/${tenantId}/oauth2`, kind: "slow", milliseconds: 600_000 });
    const bounds = { TEST_CALL_TIMEOUT_MS: "1500", TEST_SIGN_IN_TIMEOUT_MS: "1000" };
    const waiting = new Asker({ ...clientEnvironment(emulator), ...bounds });
    const mine = { ...question, clientId: appId, clientSecret: secret };

    const first = await waiting.ask(mine);
    assert.match(expectError(first, "Unreachable").message, /no answer within 1(\.5)? s/);
    // From now on the token service answers, but the adapter does not call it for 5 seconds.
    const later = async (): Promise<Answer | undefined> => {
      const answer = await waiting.ask(mine);
      return answer.kind === "secret" ? answer : undefined;
    };
    const second = await eventually(later, { within: 20_000, every: 250, what: "the token of the next sign-in" });

    await waiting.stop();
    assert.equal(decoded(second), value);
  });
});

describe("the environment", () => {
  async function askWith(environment: Readonly<Record<string, string>>): Promise<{ readonly answer: Answer; readonly stderr: string }> {
    const other = new Asker(environment);
    const answer = await ask({}, other);
    await other.stop();
    return { answer, stderr: other.stderr };
  }

  test("must name the CA of a proxy that opens TLS: without it the message says how", async () => {
    const { proxyUrl } = emulator;
    const { message } = expectError((await askWith({ HTTPS_PROXY: proxyUrl })).answer, "Unreachable");
    assert.match(message, /certificate is not trusted.*NODE_EXTRA_CA_CERTS/);
  });

  test("decides by HTTPS_PROXY where requests go: a proxy that refuses connections is Unreachable", async () => {
    const { answer } = await askWith({
      ...clientEnvironment(emulator),
      HTTPS_PROXY: "http://127.0.0.1:1",
      https_proxy: "http://127.0.0.1:1",
    });
    assert.match(expectError(answer, "Unreachable").message, /ECONNREFUSED.*HTTPS_PROXY/);
  });

  test("exempts hosts by NO_PROXY: the proxy then sees no request for them", async () => {
    const from = (await emulator.requests()).at(-1)?.sequence ?? 0;
    const { answer } = await askWith({ ...clientEnvironment(emulator), NO_PROXY: ".vault.azure.net", no_proxy: ".vault.azure.net" });
    expectError(answer, "Unreachable");
    assert.deepEqual(await emulator.requests({ after: from }), []);
  });

  const logging = { AZURE_LOG_LEVEL: "verbose", TYPESPEC_RUNTIME_LOG_LEVEL: "verbose", DEBUG: "azure*,typeSpecRuntime*" };

  test("cannot switch the SDK's log on", async () => {
    const { answer, stderr } = await askWith({ ...clientEnvironment(emulator), ...logging });

    assert.equal(decoded(answer), value);
    assert.equal(stderr, "");
  });

  test("would switch it on without us (control)", async () => {
    const script = join(folder, "sdk-log.mjs");
    const sdk = (name: string) => import.meta.resolve(name);
    await writeFile(
      script,
      `import { ClientSecretCredential } from ${JSON.stringify(sdk("@azure/identity"))};
       import { SecretClient } from ${JSON.stringify(sdk("@azure/keyvault-secrets"))};
       const credential = new ClientSecretCredential(${JSON.stringify(question.address.tenantId)}, ${JSON.stringify(question.clientId)}, ${JSON.stringify(clientSecret)});
       await new SecretClient(${JSON.stringify(question.address.vaultUrl)}, credential).getSecret("DemoSecret");`,
    );
    const child = spawn(process.execPath, [script], { env: { ...clientEnvironment(emulator), ...logging } });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    const code = await new Promise((resolve) => child.once("close", resolve));

    assert.equal(code, 0);
    assert.match(stderr, /azure:/);
  });
});

describe("no error and no output", () => {
  /** Possible spellings of a value: plain, base64 at three alignments, base64url, hex, percent- and JSON-escaped. */
  function spellings(text: string): readonly string[] {
    const bytes = Buffer.from(text);
    const aligned = [0, 1, 2].map((shift) => {
      const shifted = Buffer.concat([Buffer.alloc(shift), bytes]).toString("base64");
      return shifted.slice(shift === 0 ? 0 : 4, -4);
    });
    const json = JSON.stringify(text).slice(1, -1);
    return [text, ...aligned, bytes.toString("base64url"), bytes.toString("hex"), encodeURIComponent(text), json];
  }

  const leaks = (haystack: string) => [clientSecret, value].flatMap(spellings).filter((needle) => haystack.includes(needle));

  test("holds the client secret, the value or a token in any spelling", () => {
    const haystack = [...errorsSeen.map(({ everything, message }) => `${message}\n${everything}`), asker.stderr].join("\n");

    assert.ok(errorsSeen.length >= 15, `${errorsSeen.length} errors`);
    assert.deepEqual(leaks(haystack), []);
    // The first part of a JSON web token, and the header for it.
    assert.doesNotMatch(haystack, /eyJ[A-Za-z0-9_-]{8}|authorization/i);
    console.log(`searched ${errorsSeen.length} errors, ${haystack.length} characters`);
  });

  test("would hide one from this search (control)", () => {
    for (const spelling of [clientSecret, value].flatMap(spellings)) assert.notDeepEqual(leaks(`before ${spelling} after`), []);
  });
});
