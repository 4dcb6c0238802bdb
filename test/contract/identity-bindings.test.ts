/** Signs in with identity bindings at our own endpoint, and compares the Azure provider's sign-in at the same one. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

import { proxyNameOf } from "../../src/azure/cluster-name.ts";
import type { TokenProxyPlace } from "../../src/runtime/token-proxy-place.ts";
import { clientEnvironment, type Emulator } from "../../tools/key-vault-emulator/emulator.ts";
import { builtProgram, programRefusal } from "../e2e/support/binaries.ts";
import { API_SERVER, startTokenProxyServer, type TokenProxyServer, type TokenRequest } from "../support/cluster/token-proxy-server.ts";
import { askProcess, type FederatedVault, ISSUER, SUBJECT, startFederatedVault } from "./federated-vault.ts";
import type { BindingAnswer, BindingQuestion, BindingQuestions } from "./identity-bindings-process.ts";
import { type AzureProvider, type Mounted, startAzureProvider } from "./judge/azure-provider.ts";

const PROCESS = fileURLToPath(new URL("./identity-bindings-process.ts", import.meta.url));
const ASK_WITHIN_MS = 60_000;
const AUDIENCE = "api://AKSIdentityBinding";
const CLUSTER = "696995ccb303450001b31a18";
const NAMES_THE_CLUSTER = `hcp-kubernetes.${CLUSTER}.svc.cluster.local`;

const bindings = new Map<string, readonly string[]>();
const everything: string[] = [];
let world: FederatedVault;
let vault: string;
let value: string;
let folder: string;
let emulator: Emulator;
let address: BindingQuestion["address"];
let proxy: TokenProxyServer;
let clientId: string;

const aToken = (changes: Readonly<Record<string, unknown>> = {}): string => world.tokenOf({ aud: [AUDIENCE], ...changes });

async function startProxy(apiServerNames: readonly string[] = [NAMES_THE_CLUSTER], proxyName = proxyNameOf(CLUSTER)) {
  const ca = await readFile(emulator.caFile, "utf8");
  return startTokenProxyServer({ emulator: { proxyUrl: emulator.proxyUrl, ca }, apiServerNames, proxyName, bindings });
}

let files = 0;

async function placeOf(server: Pick<TokenProxyServer, "port" | "ca">, changes: Partial<TokenProxyPlace> = {}): Promise<TokenProxyPlace> {
  files += 1;
  const caFile = join(folder, `ca-${files}.crt`);
  await writeFile(caFile, server.ca);
  const apiServer = { host: "localhost", port: server.port };
  return { url: `https://localhost:${server.port}`, serverName: undefined, caFile, apiServer, ...changes };
}

type Asked = Partial<BindingQuestion>;

async function askAll(place: TokenProxyPlace | undefined, asked: readonly Asked[], bound = "20000"): Promise<readonly BindingAnswer[]> {
  // Without exemptions, because the process must not reach the API server through a proxy anyway.
  const environment = { ...clientEnvironment(emulator), NO_PROXY: "", no_proxy: "", TEST_CALL_TIMEOUT_MS: bound };
  const usual: BindingQuestion = { address, name: "DemoSecret", clientId, account: "reader", token: aToken() };
  const questions: BindingQuestions = {
    ...(place === undefined ? {} : { place }),
    questions: asked.map((each) => ({ ...usual, ...each })),
  };
  const stdout = await askProcess({ file: PROCESS, environment, within: ASK_WITHIN_MS }, questions);
  everything.push(stdout);
  // The process above writes it.
  return JSON.parse(stdout) as readonly BindingAnswer[];
}

async function ask(place: TokenProxyPlace | undefined, asked: Asked = {}, bound?: string): Promise<BindingAnswer> {
  const [answer] = await askAll(place, [asked], bound);
  assert.ok(answer);
  return answer;
}

function expectError(answer: BindingAnswer, { code, message, retry }: { code: string; message: RegExp; retry: string }): void {
  assert.match(answer.message ?? JSON.stringify(answer.value), message);
  assert.deepEqual({ code: answer.code, retry: answer.retry }, { code, retry });
}

before(async () => {
  world = await startFederatedVault("identity-bindings");
  ({ folder, emulator, address, vault, value } = world);
  clientId = await aBoundIdentity([SUBJECT]);
  proxy = await startProxy();
});

after(async () => {
  await proxy.stop();
  await world.stop();
});

/** Does the same as AKS for `az aks identity-binding create`: Entra trusts the cluster, and the proxy knows the accounts. */
async function aBoundIdentity(subjects: readonly string[]): Promise<string> {
  const { appId } = await emulator.createServicePrincipal({ tenantId: address.tenantId });
  await emulator.grant({ vault, appId, permissions: ["get"] });
  await emulator.addFederatedCredential({ appId, issuer: ISSUER, subject: SUBJECT, audience: AUDIENCE });
  bindings.set(appId, subjects);
  return appId;
}

const posts = (requests: readonly TokenRequest[]): readonly TokenRequest[] => requests.filter(({ method }) => method === "POST");

const lastSequence = (): Promise<number> => world.lastSequence();

describe("an identity binding", () => {
  test("signs in by the token proxy that the API server's certificate names, once for many calls, past the network's proxy", async () => {
    const from = proxy.requests.length;
    const checks = proxy.checks;
    const sequence = await lastSequence();

    const answers = await askAll(await placeOf(proxy), [{ times: 5 }, { times: 2 }]);

    assert.deepEqual(
      answers.map((answer) => answer.value ?? answer.message),
      Array.from({ length: 7 }, () => value),
    );
    const [sent, ...more] = posts(proxy.requests.slice(from));
    assert.deepEqual(more, []);
    assert.ok(sent);
    assert.equal(sent.serverName, proxyNameOf(CLUSTER));
    assert.equal(sent.path.split("?")[0], `/${address.tenantId}/oauth2/v2.0/token`);
    assert.deepEqual([sent.claims.aud].flat(), [AUDIENCE]);
    assert.equal(sent.claims.sub, SUBJECT);
    assert.equal(sent.form["client_id"], clientId);
    assert.equal(sent.form["scope"]?.includes("https://vault.azure.net/.default"), true);
    assert.equal(proxy.checks - checks, 1, "one look at the API server's certificate");
    // The emulated Entra's requests came from the token proxy, and the only others are those to the vault.
    const hosts = (await emulator.requests({ after: sequence })).map(({ host, path }) => [host, path.split("?")[0]]);
    assert.deepEqual(
      hosts.filter(([host]) => host !== `${vault}.vault.azure.net`).filter(([, path]) => path?.endsWith("/token") === true).length,
      1,
    );
    assert.ok(!hosts.some(([, path]) => path?.includes("discovery/instance")), "nobody is asked to vouch for the authority");
  });

  test("has a name given instead, without a look at the API server, and a path of the address before the request's own", async () => {
    const checks = proxy.checks;
    const from = proxy.requests.length;
    const named = { serverName: proxyNameOf(CLUSTER), apiServer: { host: "localhost", port: 1 } };
    assert.equal((await ask(await placeOf(proxy, named))).value, value);
    assert.equal(proxy.checks, checks);
    // Entra has no such path, and the proxy returns its answer.
    const below = await ask(await placeOf(proxy, { ...named, url: `https://localhost:${proxy.port}/below/` }));
    assert.equal(below.value, undefined);
    assert.equal(posts(proxy.requests.slice(from)).at(-1)?.path.split("?")[0], `/below/${address.tenantId}/oauth2/v2.0/token`);
  });

  test("whose account may not use it is Unauthorized, with what to bind; another one's client is not shared", async () => {
    const stranger = { account: "stranger", token: aToken({ sub: "system:serviceaccount:shop:stranger" }) };
    const [mine, refused, again] = await askAll(await placeOf(proxy), [{}, stranger, {}]);
    assert.deepEqual([mine?.value, again?.value], [value, value]);
    assert.ok(refused);
    expectError(refused, {
      code: "Unauthorized",
      message:
        /the request is rejected \(HTTP 403 unauthorized_client\); bind the managed identity .* and let ServiceAccount shop\/stranger use it/,
      retry: "never",
    });
  });

  test("with a token for another audience is refused by the proxy", async () => {
    const answer = await ask(await placeOf(proxy), { token: aToken({ aud: ["api://AzureADTokenExchange"] }) });
    expectError(answer, { code: "Unauthorized", message: /the request is rejected \(HTTP 401 invalid_client\)/, retry: "never" });
  });

  test("of a cluster whose API server's certificate names none is IdentityUnavailable, in the provider's words and with what to use", async () => {
    const elsewhere = await startProxy([]);
    const answer = await ask(await placeOf(elsewhere));
    expectError(answer, {
      code: "IdentityUnavailable",
      message: /cluster ID SAN not found in API server certificate.*remove useAzureTokenProxy to use workload identity/,
      retry: "never",
    });
    assert.equal(answer.origin, "apiServer");
    assert.deepEqual(elsewhere.requests, []);
    await elsewhere.stop();
  });

  test("of a cluster that has no token proxy is Unreachable: nobody else is taken for it, and no token is sent", async () => {
    const unbound = await startProxy([NAMES_THE_CLUSTER], "aother.ests.aks");
    const answer = await ask(await placeOf(unbound));
    expectError(answer, {
      code: "Unreachable",
      message: /no token proxy of this cluster answers at the API server's address; bind the managed identity/,
      retry: "backoff",
    });
    assert.deepEqual(unbound.requests, []);
    await unbound.stop();
  });

  test("trusts the cluster's CA alone: an API server of another one gets nothing", async () => {
    const impostor = await startProxy();
    const answer = await ask({ ...(await placeOf(proxy)), url: `https://localhost:${impostor.port}` });
    expectError(answer, { code: "Unreachable", message: /no connection \([A-Z_]+\)/, retry: "backoff" });
    const looking = await ask({ ...(await placeOf(proxy)), apiServer: { host: "localhost", port: impostor.port } });
    expectError(looking, {
      code: "Unreachable",
      message: /the cluster cannot be identified by the certificate of .*: no connection \([A-Z_]+\)/,
      retry: "backoff",
    });
    assert.deepEqual(impostor.requests, []);
    await impostor.stop();
  });

  test("without a CA, with one that is none, or an empty one says which file", async () => {
    const place = await placeOf(proxy);
    const absent = await ask({ ...place, caFile: join(folder, "absent.crt") });
    expectError(absent, { code: "IdentityUnavailable", message: /absent\.crt, .* does not exist; set --sni-name/, retry: "never" });
    const damaged = await ask(await placeOf({ port: proxy.port, ca: "no certificate" }));
    expectError(damaged, { code: "IdentityUnavailable", message: /contains no certificate/, retry: "backoff" });
    const empty = await ask(await placeOf({ port: proxy.port, ca: "" }));
    expectError(empty, { code: "IdentityUnavailable", message: /is empty/, retry: "backoff" });
  });

  test("where they are off says what to set", async () => {
    expectError(await ask(undefined), { code: "IdentityUnavailable", message: /set --identity-bindings/, retry: "never" });
  });

  test("ends at its bound where the API server does not answer", async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket));
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const bound = silent.address();
    assert.ok(bound !== null && typeof bound === "object");
    const place = await placeOf(proxy, { apiServer: { host: "127.0.0.1", port: bound.port } });
    const answer = await ask(place, {}, "1500");
    expectError(answer, { code: "Unreachable", message: /no answer within 1\.5 s/, retry: "backoff" });
    assert.ok(sockets.length > 0);
    for (const socket of sockets) socket.destroy();
    silent.close();
  });
});

/** Hosts and CA as in every pod, for which the provider has no flag. */
const SET_UP = [
  "mount -t tmpfs tmpfs /run",
  "mkdir -p /run/secrets/kubernetes.io/serviceaccount",
  'cp "$CA" /run/secrets/kubernetes.io/serviceaccount/ca.crt',
  'mount --bind "$HOSTS" /etc/hosts',
  'exec "$PROVIDER" "$@"',
].join("\n");

const ENTER = ["--mount", "--propagation", "private"] as const;

function refusalOfJudge(): string | undefined {
  const missing = programRefusal(["secrets-store-csi-driver-provider-azure"]);
  if (missing !== undefined) return missing;
  const { status } = spawnSync("unshare", [...ENTER, "mount", "-t", "tmpfs", "tmpfs", "/run"]);
  return status === 0 ? undefined : "needs root on Linux for a mount namespace";
}

const refusal = refusalOfJudge();

describe("the Azure provider beside us", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  let provider: AzureProvider;
  const attributes = (token: string, parameters: Readonly<Record<string, string>>): Readonly<Record<string, string>> => ({
    keyvaultName: vault,
    tenantID: address.tenantId,
    objects: "array:\n  - |\n    objectName: DemoSecret\n    objectType: secret\n",
    useAzureTokenProxy: "true",
    "csi.storage.k8s.io/pod.name": "pod",
    "csi.storage.k8s.io/pod.namespace": "shop",
    "csi.storage.k8s.io/serviceAccount.tokens": JSON.stringify({ [AUDIENCE]: { token, expirationTimestamp: "2030-01-01T00:00:00Z" } }),
    ...parameters,
  });
  const mount = (token: string, parameters: Readonly<Record<string, string>> = { clientID: clientId }): Promise<Mounted> =>
    provider.mount({ attributes: attributes(token, parameters), secrets: "null" });

  before(async () => {
    const [binary, ca, hosts, launcher] = [
      await builtProgram("secrets-store-csi-driver-provider-azure"),
      join(folder, "judge-ca.crt"),
      join(folder, "hosts"),
      join(folder, "provider"),
    ];
    await writeFile(ca, proxy.ca);
    await writeFile(hosts, `127.0.0.1 localhost ${API_SERVER}\n`);
    await writeFile(launcher, `#!/bin/sh\nexec unshare ${ENTER.join(" ")} sh -ec '${SET_UP}' provider "$@"\n`, { mode: 0o755 });
    const network = { ...clientEnvironment(emulator), NO_PROXY: API_SERVER, no_proxy: API_SERVER };
    provider = await startAzureProvider({
      binary: launcher,
      socket: join(folder, "provider.sock"),
      environment: { ...network, CA: ca, HOSTS: hosts, PROVIDER: binary, KUBERNETES_SERVICE_PORT: String(proxy.port) },
      // Its default has no port. It finds the name for TLS itself.
      flags: [`--token-proxy-url=https://${API_SERVER}:${proxy.port}`],
      folder,
    });
  });

  after(async () => {
    await provider?.stop();
  });

  test("gets the same value from the same endpoint, by the same name in TLS, path, application, scope and kind of assertion", async () => {
    const from = proxy.requests.length;
    const theirs = await mount(aToken());
    assert.ok(theirs.kind === "mounted", JSON.stringify(theirs));
    const between = proxy.requests.length;
    const ours = await ask(await placeOf(proxy));

    assert.equal(theirs.files[0]?.contents.toString(), value);
    assert.equal(ours.value, value);
    const seen = (requests: readonly TokenRequest[]) => {
      const [sent] = posts(requests);
      assert.ok(sent);
      const { serverName, path, status, claims, form } = sent;
      const scopes = new Set((form["scope"] ?? "").split(" ").filter((scope) => scope.startsWith("https://")));
      const { client_id: client, grant_type: grant, client_assertion_type: type } = form;
      return {
        serverName,
        path: path.split("?")[0],
        status,
        audience: [claims.aud].flat(),
        subject: claims.sub,
        scopes,
        client,
        grant,
        type,
      };
    };
    assert.deepEqual(seen(proxy.requests.slice(between)), seen(proxy.requests.slice(from, between)));
  });

  test("is refused as we are: another account, and another audience", async () => {
    for (const token of [aToken({ sub: "system:serviceaccount:shop:stranger" }), aToken({ aud: ["api://AzureADTokenExchange"] })]) {
      const from = proxy.requests.length;
      const theirs = await mount(token);
      const between = proxy.requests.length;
      const ours = await ask(await placeOf(proxy), { account: "stranger", token });
      assert.equal(theirs.kind, "failed");
      assert.equal(ours.code, "Unauthorized");
      const statuses = (requests: readonly TokenRequest[]) => [...new Set(posts(requests).map(({ status }) => status))];
      assert.deepEqual(statuses(proxy.requests.slice(between)), statuses(proxy.requests.slice(from, between)));
    }
  });
});

test("no answer holds a token (control: one would be found)", () => {
  const token = /eyJ[A-Za-z0-9_-]{8}/;
  assert.ok(everything.length > 5);
  assert.doesNotMatch(everything.join("\n"), token);
  assert.match(`before ${aToken()} after`, token);
});
