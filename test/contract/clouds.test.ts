import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

import { clientEnvironment } from "../../tools/key-vault-emulator/emulator.ts";
import { CLOUDS, type CloudName } from "../../tools/key-vault-emulator/network/clouds.ts";
import type { RequestRecord } from "../../tools/key-vault-emulator/network/request-log.ts";
import { type SpawnedEmulator, spawnEmulator } from "../../tools/key-vault-emulator/spawn.ts";
import { type LineProcess, startLineProcess } from "../support/processes/line-process.ts";
import type { Answer, Question } from "./azure-adapter-process.ts";
import type { ClassAnswer, ClassQuestion } from "./class-objects-process.ts";

const startBeside = <Asked, Answered>(file: string, environment: Readonly<Record<string, string>>): LineProcess<Asked, Answered> =>
  startLineProcess({ command: process.execPath, args: [fileURLToPath(new URL(file, import.meta.url))], environment });

let folder: string;
let cloudEnvDir: string;
let emulator: SpawnedEmulator;
let worker: LineProcess<ClassQuestion, ClassAnswer>;
let count = 0;

/** Description of a cloud as an operator would write it. */
function description(cloud: CloudName, changes: Readonly<Record<string, string>> = {}): string {
  const { vaultSuffix, vaultResource, entraHosts } = CLOUDS[cloud];
  return JSON.stringify({
    name: "AzureStackCloud",
    activeDirectoryEndpoint: `https://${entraHosts[0]}/`,
    keyVaultEndpoint: `${vaultResource}/`,
    keyVaultDNSSuffix: vaultSuffix,
    ...changes,
  });
}

const describeCloud = (file: string, text: string) => writeFile(join(cloudEnvDir, file), text);

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "clouds-"));
  cloudEnvDir = join(folder, "clouds");
  await mkdir(cloudEnvDir);
  emulator = await spawnEmulator(join(folder, "emulator"));
  worker = startBeside("./class-objects-process.ts", clientEnvironment(emulator));
  await describeCloud("private.json", description("private"));
  await describeCloud("private-stack.json", description("private-stack"));
});

after(async () => {
  await worker.stop();
  await emulator.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Fetch {
  readonly answer: ClassAnswer;
  readonly requests: readonly RequestRecord[];
  readonly vault: string;
  readonly tenantId: string;
}

/** Creates a vault in a cloud, and fetches its only secret like the worker does for a class with these parameters. */
async function fetchFrom(cloud: CloudName, parameters: Readonly<Record<string, string>>): Promise<Fetch> {
  count += 1;
  const { name: vault, tenantId } = await emulator.createVault({ name: `cloud-${count}`, cloud });
  const { appId: clientId, clientSecret } = await emulator.createServicePrincipal({ cloud });
  await emulator.grant({ vault, appId: clientId, permissions: ["get"] });
  await emulator.setSecret({ vault, name: "s", value: `of ${cloud}` });
  const last = (await emulator.requests()).at(-1)?.sequence ?? 0;
  const objects = "array:\n  - |\n    objectName: s\n    objectType: secret\n";
  const given = { keyvaultName: vault, tenantID: tenantId, objects, ...parameters };
  const answer = await worker.ask({ parameters: given, clientId, clientSecret, cloudEnvDir });
  return { answer, requests: await emulator.requests({ after: last }), vault, tenantId };
}

const tokensIn = (requests: readonly RequestRecord[]) => requests.filter(({ path }) => path.endsWith("/token"));

/** Asserts that the only token came from the cloud's own authority, for its own Key Vault, and that no request went elsewhere. */
function assertAskedRightly({ requests, vault, tenantId }: Pick<Fetch, "requests" | "vault" | "tenantId">, cloud: CloudName): void {
  const { entraHosts, vaultResource, vaultSuffix, isPrivate } = CLOUDS[cloud];
  // The SDK replaces the documented name of the Chinese authority by its other name.
  const authority = entraHosts.at(-1);
  assert.deepEqual(
    tokensIn(requests).map(({ host, path, audience, status }) => ({ host, path, audience, status })),
    [{ host: authority, path: `/${tenantId}/oauth2/v2.0/token`, audience: vaultResource, status: 200 }],
  );
  // The public clouds know each other, so that the SDK may ask any of them which names belong together. A private cloud must not need them.
  const discovery = isPrivate === true ? [] : requests.filter(({ path }) => path.endsWith("/discovery/instance"));
  const hosts = new Set(requests.filter((request) => !discovery.includes(request)).map(({ host }) => host));
  assert.deepEqual([...hosts].sort(), [...new Set([`${vault}.${vaultSuffix}`, ...entraHosts.filter((host) => hosts.has(host))])].sort());
}

describe("a class is fetched from end to end", () => {
  for (const [cloud, parameters] of [
    ["public", {}],
    ["public", { cloudName: "" }],
    ["public", { cloudName: "AzurePublicCloud" }],
    ["public", { cloudName: "AzureCloud" }],
    ["us-government", { cloudName: "AzureUSGovernmentCloud" }],
    ["us-government", { cloudName: "AzureUSGovernment" }],
    ["china", { cloudName: "AzureChinaCloud" }],
    ["china", { cloudName: "azurechinacloud" }],
    ["germany", { cloudName: "AzureGermanCloud" }],
    ["private", { cloudName: "AzureStackCloud", cloudEnvFileName: "private.json" }],
    ["private-stack", { cloudName: "AZURESTACKCLOUD", cloudEnvFileName: "private-stack.json" }],
  ] as const) {
    test(`in the ${cloud} cloud by ${JSON.stringify(parameters)}`, async () => {
      const fetch = await fetchFrom(cloud, parameters);

      assert.deepEqual(fetch.answer.failures, []);
      assert.equal(Buffer.from(fetch.answer.files["s"] ?? "", "base64").toString(), `of ${cloud}`);
      assertAskedRightly(fetch, cloud);
    });
  }

  test("by the file as it is at that moment", async () => {
    await describeCloud("changing.json", "{");
    const parameters = { cloudName: "AzureStackCloud", cloudEnvFileName: "changing.json" };
    assert.match((await fetchFrom("private", parameters)).answer.failures.join(), /the file is not valid JSON/);
    await describeCloud("changing.json", description("private"));
    assert.deepEqual((await fetchFrom("private", parameters)).answer.failures, []);
  });
});

describe("a wrong authority or scope", () => {
  test("is noticed by the check above (control)", async () => {
    const fetch = await fetchFrom("us-government", { cloudName: "AzureUSGovernmentCloud" });
    const changed = (change: Partial<RequestRecord>) => ({
      ...fetch,
      requests: fetch.requests.map((request) => (request.path.endsWith("/token") ? { ...request, ...change } : request)),
    });
    assertAskedRightly(changed({}), "us-government");
    for (const change of [
      { host: "login.microsoftonline.com" },
      { audience: "https://vault.azure.net" },
      { audience: CLOUDS["us-government"].managementResource },
      { path: "/common/oauth2/v2.0/token" },
    ]) {
      assert.throws(() => assertAskedRightly(changed(change), "us-government"), assert.AssertionError, JSON.stringify(change));
    }
    const elsewhere = { ...fetch, requests: [...fetch.requests, { ...fetch.requests[0], host: "elsewhere.example" } as RequestRecord] };
    assert.throws(() => assertAskedRightly(elsewhere, "us-government"), assert.AssertionError);
  });

  test("in the cloud file ends at that authority, without the vault's secret", async () => {
    await describeCloud("wrong-authority.json", description("private", { activeDirectoryEndpoint: "https://login.microsoftonline.us/" }));

    const fetch = await fetchFrom("private", { cloudName: "AzureStackCloud", cloudEnvFileName: "wrong-authority.json" });

    assert.match(fetch.answer.failures.join(), /^Unauthorized: .*login\.microsoftonline\.us.*AADSTS90002/);
    assert.throws(() => assertAskedRightly(fetch, "private"), assert.AssertionError);
  });

  test("in the vault's challenge, for an audience that the cloud file does not name, gets no token", async () => {
    await describeCloud("other-audience.json", description("private-stack", { keyVaultEndpoint: "https://vault.directory.example/other" }));

    const { answer, requests } = await fetchFrom("private-stack", {
      cloudName: "AzureStackCloud",
      cloudEnvFileName: "other-audience.json",
    });

    assert.match(answer.failures.join(), /^Unauthorized: .*asks for a token for a service other than Key Vault, so none was requested/);
    assert.deepEqual(tokensIn(requests), []);
  });

  test("in the challenge of a host that a known cloud's class reached gets no token", async () => {
    const { name, tenantId } = await emulator.createVault({ name: "known-cloud", cloud: "private-stack" });
    const last = (await emulator.requests()).at(-1)?.sequence ?? 0;
    const vaultUrl = `https://${name}.${CLOUDS["private-stack"].vaultSuffix}/`;
    const address = { vaultUrl, authorityHost: "https://login.microsoftonline.com/", tenantId };
    const adapter = startBeside<readonly Question[], readonly Answer[]>("./azure-adapter-process.ts", clientEnvironment(emulator));

    const [answer] = await adapter.ask([{ address, clientId: "c", clientSecret: "s", name: "s" }]);

    await adapter.stop();
    assert.equal(answer?.kind === "error" ? answer.code : answer?.kind, "Unauthorized");
    const requests = await emulator.requests({ after: last });
    assert.ok(requests.some(({ status }) => status === 401));
    assert.deepEqual(tokensIn(requests), []);
  });
});

/** Creates a vault in a private cloud whose newest API version is 7.1, as in Azure Stack Hub, and fetches a class from it. */
async function fetchFromOldVault(cloudEnvFileName: string): Promise<Pick<Fetch, "answer" | "requests">> {
  count += 1;
  const { name: vault, tenantId } = await emulator.createVault({ name: `cloud-${count}`, cloud: "private", apiVersions: ["7.0", "7.1"] });
  const { appId: clientId, clientSecret } = await emulator.createServicePrincipal({ cloud: "private" });
  await emulator.grant({ vault, appId: clientId, permissions: ["get", "list", "keys/get", "certificates/get"] });
  for (let version = 0; version < 30; version += 1) await emulator.setSecret({ vault, name: "s", value: `${version}` });
  await emulator.createKey({ vault, name: "k", keyType: "EC" });
  await emulator.createCertificate({ vault, name: "c", keyType: "EC" });
  const last = (await emulator.requests()).at(-1)?.sequence ?? 0;
  const entry = (text: string) => `  - |\n    ${text.replaceAll(", ", "\n    ")}\n`;
  const entries = ["objectName: k, objectType: key", "objectName: c, objectType: cert", "objectName: s, objectType: secret"];
  const history = "objectName: s, objectType: secret, objectAlias: all, objectVersionHistory: 30";
  const objects = `array:\n${[...entries, history].map(entry).join("")}`;
  const parameters = { cloudName: "AzureStackCloud", cloudEnvFileName, keyvaultName: vault, tenantID: tenantId, objects };
  const answer = await worker.ask({ parameters, clientId, clientSecret, cloudEnvDir });
  return { answer, requests: (await emulator.requests({ after: last })).filter(({ host }) => host.startsWith(vault)) };
}

const versionsIn = (requests: readonly RequestRecord[]) => [...new Set(requests.map(({ apiVersion }) => apiVersion))];

describe("the version of Key Vault's API", () => {
  for (const cloud of ["public", "private"] as const) {
    test(`V1: is 7.4, as the Azure provider's, in the ${cloud} cloud`, async () => {
      const { answer, requests } = await fetchFrom(
        cloud,
        cloud === "public" ? {} : { cloudName: "AzureStackCloud", cloudEnvFileName: "private.json" },
      );

      assert.deepEqual(answer.failures, []);
      assert.deepEqual(versionsIn(requests.filter(({ path }) => path.startsWith("/secrets/"))), ["7.4"]);
    });
  }

  test("V1: is the one of the cloud file, for secrets, keys, certificates, and each page of a list", async () => {
    await describeCloud("old.json", description("private", { keyVaultAPIVersion: "7.1" }));

    const { answer, requests } = await fetchFromOldVault("old.json");

    assert.deepEqual(answer.failures, []);
    assert.deepEqual(Object.keys(answer.files).length, 33);
    assert.deepEqual(versionsIn(requests), ["7.1"]);
    const pages = requests.filter(({ path, status }) => path.endsWith("/versions") && status === 200);
    assert.ok(pages.length > 1, `${pages.length} pages`);
  });

  test("V1: that a vault does not know is named, with the vault's latest and where to set it", async () => {
    const { answer } = await fetchFromOldVault("private.json");

    assert.equal(answer.failures.length, 4);
    for (const failure of answer.failures) {
      assert.match(
        failure,
        /^UnsupportedApiVersion: .*does not support version 7\.4 of the Key Vault API, only versions up to 7\.1; set keyVaultAPIVersion/,
      );
    }
  });
});

test("a tenant adfs asks the authority's own token endpoint, and does not ask which cloud it is of", async () => {
  const { requests } = await fetchFrom("private", { cloudName: "AzureStackCloud", cloudEnvFileName: "private.json", tenantID: "adfs" });

  const asked = requests.filter(({ host }) => host === "login.cloud.example").map(({ method, path }) => `${method} ${path}`);
  assert.ok(asked.length > 0);
  for (const request of asked) assert.match(request, /^(?:GET|POST) \/adfs\//);
  assert.ok(!requests.some(({ path }) => path.endsWith("/discovery/instance")));
});
