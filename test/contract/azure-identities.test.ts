import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { createServer, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

import { clientEnvironment, type Emulator, managedIdentityEnvironment } from "../../tools/key-vault-emulator/emulator.ts";
import type { IdentityAnswer, IdentityAnswers, IdentityQuestion } from "./azure-identities-process.ts";
import { askProcess, type FederatedVault, ISSUER, SUBJECT, startFederatedVault } from "./federated-vault.ts";

const PROCESS = fileURLToPath(new URL("./azure-identities-process.ts", import.meta.url));
const ASK_WITHIN_MS = 40_000;
const AUDIENCE = "api://AzureADTokenExchange";
const IMDS = "169.254.169.254";

let world: FederatedVault;
let vault: string;
let value: string;
let emulator: Emulator;
let address: IdentityQuestion["address"];
const everything: string[] = [];

/** Loopback traffic goes to the proxy too, so that a test notices traffic that must not go there. */
const proxied = (): Readonly<Record<string, string>> => ({
  ...clientEnvironment(emulator),
  ...managedIdentityEnvironment(emulator),
  HTTP_PROXY: emulator.proxyUrl,
  ALL_PROXY: emulator.proxyUrl,
  NO_PROXY: "",
  no_proxy: "",
});

type Asked = Omit<IdentityQuestion, "address" | "name"> & Partial<Pick<IdentityQuestion, "address" | "name">>;

async function askAll(questions: readonly Asked[], environment = proxied()): Promise<IdentityAnswers> {
  const asked = questions.map((question) => ({ address, name: "DemoSecret", ...question }));
  const stdout = await askProcess({ file: PROCESS, environment, within: ASK_WITHIN_MS }, asked);
  everything.push(stdout);
  // The process above writes it.
  return JSON.parse(stdout) as IdentityAnswers;
}

async function ask(question: Asked, environment = proxied()): Promise<IdentityAnswer> {
  const [[answer] = []] = (await askAll([question], environment)).answers;
  assert.ok(answer);
  return answer;
}

function expectError(answer: IdentityAnswer, code: string, message: RegExp): void {
  assert.equal(answer.code, code, JSON.stringify(answer));
  assert.match(answer.message ?? "", message);
}

const aToken = (changes: Readonly<Record<string, unknown>> = {}): string => world.tokenOf({ aud: [AUDIENCE], ...changes });

async function anApplication(federated: Readonly<Record<string, string>> | undefined = {}): Promise<string> {
  const { appId } = await emulator.createServicePrincipal({ tenantId: address.tenantId });
  await emulator.grant({ vault, appId, permissions: ["get"] });
  if (federated !== undefined) await emulator.addFederatedCredential({ appId, issuer: ISSUER, subject: SUBJECT, ...federated });
  return appId;
}

async function aManagedIdentity(kind: "system" | "user"): Promise<string> {
  const { appId } = await emulator.createManagedIdentity({ kind, tenantId: address.tenantId });
  await emulator.grant({ vault, appId, permissions: ["get"] });
  return appId;
}

const lastSequence = (): Promise<number> => world.lastSequence();

before(async () => {
  world = await startFederatedVault("azure-identities");
  ({ emulator, address, vault, value } = world);
});

after(async () => {
  await world.stop();
});

describe("workload identity", () => {
  test("asks for one token of the account and one access token, for many calls at once and later", async () => {
    const clientId = await anApplication();
    const from = await lastSequence();
    const question: Asked = { kind: "workloadIdentity", clientId, token: aToken(), times: 6 };

    const { answers, tokenRequests } = await askAll([question, { ...question, times: 2 }]);

    assert.deepEqual(
      answers.flat().map((each) => each.value),
      Array.from({ length: 8 }, () => value),
    );
    assert.deepEqual(tokenRequests, ["reader"]);
    assert.equal((await emulator.requests({ after: from })).filter(({ path }) => path.endsWith("/token")).length, 1);
  });

  test("is another identity by another account: its client is not the other's", async () => {
    const clientId = await anApplication();
    const mine: Asked = { kind: "workloadIdentity", clientId, token: aToken() };
    const stranger: Asked = { ...mine, account: "stranger", token: aToken({ sub: "system:serviceaccount:shop:stranger" }) };

    const { answers } = await askAll([mine, stranger, mine]);

    assert.deepEqual(
      answers.flat().map((each) => each.value ?? each.code),
      [value, "Unauthorized", value],
    );
  });

  for (const [what, federated, code] of [
    ["no credential", undefined, "AADSTS70021"],
    ["another issuer", { issuer: "https://elsewhere.example" }, "AADSTS700211"],
    ["another audience", { audience: "api://other" }, "AADSTS700212"],
    ["another subject", { subject: "system:serviceaccount:shop:other" }, "AADSTS700213"],
    ["a subject in other letters", { subject: "system:serviceaccount:shop:Reader" }, "AADSTS7002138"],
  ] as const) {
    test(`that meets ${what} in Entra is Unauthorized and says what to federate`, async () => {
      const { appId } = await emulator.createServicePrincipal({ tenantId: address.tenantId });
      if (federated !== undefined) await emulator.addFederatedCredential({ appId, issuer: ISSUER, subject: SUBJECT, ...federated });

      const answer = await ask({ kind: "workloadIdentity", clientId: appId, token: aToken() });

      const federate = `the identity has no matching federated credential; add one: subject ${SUBJECT}, issuer ${ISSUER}, audience ${AUDIENCE}$`;
      expectError(answer, "Unauthorized", new RegExp(`\\(${code}\\): .*${federate}`));
      assert.equal(answer.retry, "never");
    });
  }

  test("with a signature that does not match, an expired token or an unknown application has its own remedy", async () => {
    const clientId = await anApplication();
    const token = aToken();
    const forged = `${token.slice(0, token.lastIndexOf("."))}.${Buffer.alloc(256).toString("base64url")}`;
    const base: Asked = { kind: "workloadIdentity", clientId };
    const { answers } = await askAll([
      { ...base, token: forged },
      { ...base, account: "late", token: aToken({ exp: Math.floor(Date.now() / 1000) - 60 }) },
      { ...base, clientId: randomUUID(), token },
    ]);
    const [[ofForged], [ofExpired], [ofUnknown]] = answers as [[IdentityAnswer], [IdentityAnswer], [IdentityAnswer]]; // One answer for each question.
    expectError(ofForged, "Unauthorized", /AADSTS50013.*published keys/);
    expectError(ofExpired, "Unauthorized", /AADSTS700024.*clock/);
    expectError(ofUnknown, "Unauthorized", /AADSTS700016.*clientID or tenantID/);
  });

  test("without a token of the account keeps the API server's words and code, and sends Entra nothing", async () => {
    const from = await lastSequence();
    const answer = await ask({ kind: "workloadIdentity", clientId: randomUUID() });
    expectError(answer, "IdentityUnavailable", /^get secret DemoSecret from .*: ServiceAccount reader does not exist$/);
    assert.equal(answer.retry, "backoff");
    const paths = (await emulator.requests({ after: from })).map(({ path }) => path);
    assert.deepEqual(
      paths.filter((path) => path.endsWith("/token")),
      [],
    );
  });
});

describe("managed identity", () => {
  test("is the node's system-assigned one without a client id, and asked for directly: the proxy sees nothing of it", async () => {
    const appId = await aManagedIdentity("system");
    const from = await lastSequence();

    assert.equal((await ask({ kind: "managedIdentity" })).value, value);

    const requests = await emulator.requests({ after: from });
    assert.deepEqual(
      requests.filter(({ host }) => host === IMDS).map(({ status, identity }) => [status, identity]),
      [[200, appId]],
    );
    assert.ok(requests.every(({ host }) => [IMDS, `${vault}.vault.azure.net`].includes(host)));
    await emulator.removeManagedIdentity({ appId });
  });

  test("would be asked for through the proxy without us (control)", async () => {
    const sdk = JSON.stringify(import.meta.resolve("@azure/identity"));
    const script = `import { ManagedIdentityCredential } from ${sdk};
      const credential = new ManagedIdentityCredential({ retryOptions: { maxRetries: 0 } });
      await credential.getToken("https://vault.azure.net/.default").catch((error) => console.log(error.name));`;
    const appId = await aManagedIdentity("system");
    const run = (environment: Readonly<Record<string, string>>): Promise<string> =>
      text(spawn(process.execPath, ["--input-type=module", "--eval", script], { env: environment }).stdout);

    assert.equal((await run(proxied())).trim(), "CredentialUnavailableError");
    assert.equal((await run(managedIdentityEnvironment(emulator))).trim(), "", "without a proxy it gets its token");
    await emulator.removeManagedIdentity({ appId });
  });

  test("is the user-assigned one of the client id, whatever tenant and authority the class has, with one token for many calls", async () => {
    const [first, second] = [await aManagedIdentity("user"), await aManagedIdentity("user")];
    const from = await lastSequence();
    const elsewhere = { ...address, tenantId: "no tenant", authorityHost: "https://login.chinacloudapi.cn/" };

    const { answers } = await askAll([
      { kind: "managedIdentity", clientId: second, address: elsewhere, times: 5 },
      { kind: "managedIdentity", clientId: first },
    ]);

    assert.ok(answers.flat().every((each) => each.value === value));
    const asked = (await emulator.requests({ after: from })).filter(({ host }) => host === IMDS).map(({ identity }) => identity);
    assert.deepEqual(asked, [second, first]);
    for (const appId of [first, second]) await emulator.removeManagedIdentity({ appId });
  });

  test("that the node has not, has none of, or has several of is IdentityUnavailable with the parameter to set", async () => {
    expectError(await ask({ kind: "managedIdentity" }), "IdentityUnavailable", /the node has no identity; .*userAssignedIdentityID/);
    const both = [await aManagedIdentity("user"), await aManagedIdentity("user")];
    expectError(await ask({ kind: "managedIdentity" }), "IdentityUnavailable", /several identities; set userAssignedIdentityID/);
    const clientId = randomUUID();
    expectError(
      await ask({ kind: "managedIdentity", clientId }),
      "IdentityUnavailable",
      new RegExp(`${clientId} .*the node does not have this identity`),
    );
    for (const appId of both) await emulator.removeManagedIdentity({ appId });
  });

  test("where nothing listens is Unreachable, and worth another try", async () => {
    const environment = { ...proxied(), AZURE_POD_IDENTITY_AUTHORITY_HOST: "http://127.0.0.1:1" };
    const answer = await ask({ kind: "managedIdentity" }, environment);
    expectError(
      answer,
      "Unreachable",
      /no valid response from the node's metadata service \(169\.254\.169\.254\); .*use workload identity/,
    );
    assert.equal(answer.retry, "backoff");
  });

  test("where nothing answers ends at its bound", async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket));
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const bound = silent.address();
    assert.ok(bound !== null && typeof bound === "object");
    const host = { AZURE_POD_IDENTITY_AUTHORITY_HOST: `http://127.0.0.1:${bound.port}` };

    const answer = await ask({ kind: "managedIdentity" }, { ...proxied(), ...host, TEST_CALL_TIMEOUT_MS: "1500" });

    expectError(answer, "Unreachable", /no token from the node's metadata service \(169\.254\.169\.254\) for .*: no answer within 1\.5 s/);
    assert.ok(sockets.length > 0);
    for (const socket of sockets) socket.destroy();
    silent.close();
  });
});

test("no answer holds a token (control: one would be found)", () => {
  const token = /eyJ[A-Za-z0-9_-]{8}/;
  assert.ok(everything.length > 10);
  assert.doesNotMatch(everything.join("\n"), token);
  assert.match(`before ${aToken()} after`, token);
});
