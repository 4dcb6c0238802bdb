import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

import { type SpawnedEmulator, spawnEmulator } from "../../tools/key-vault-emulator/spawn.ts";
import { baseEnvironment } from "../support/processes/base-environment.ts";
import { startTcpProxy, type TcpProxy } from "../support/processes/tcp-proxy.ts";
import type { ProxyAnswer, ProxyQuestion } from "./outbound-proxy-process.ts";

const PROCESS = fileURLToPath(new URL("./outbound-proxy-process.ts", import.meta.url));

type Environment = Readonly<Record<string, string>>;

let folder: string;
let emulator: SpawnedEmulator;
/** In front of the emulator's own proxy, to count connections. */
let proxy: TcpProxy;
let question: Extract<ProxyQuestion, { kind: "vault" }>;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "outbound-proxy-"));
  emulator = await spawnEmulator(join(folder, "emulator"));
  proxy = await startTcpProxy({ host: "127.0.0.1", port: Number(new URL(emulator.proxyUrl).port) });
  const { name, url, tenantId } = await emulator.createVault({ name: "behind-a-proxy" });
  const { appId, clientSecret } = await emulator.createServicePrincipal({});
  await emulator.grant({ vault: name, appId, permissions: ["get"] });
  await emulator.setSecret({ vault: name, name: "s", value: "v" });
  const address = { vaultUrl: url, authorityHost: "https://login.microsoftonline.com/", tenantId };
  question = { kind: "vault", address, clientId: appId, clientSecret };
});

after(async () => {
  await proxy.stop();
  await emulator.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Asked extends ProxyAnswer {
  /** Number of connections to the proxy during the question. */
  readonly connections: number;
}

/** Sends a question, once or several times, to a new process with this environment and the emulator's CA. Resolves with the last answer. */
async function ask(environment: Environment, asked: ProxyQuestion = question, times = 1): Promise<Asked> {
  const from = proxy.connections;
  const env = { ...baseEnvironment(), NODE_EXTRA_CA_CERTS: emulator.caFile, ...environment };
  const child = spawn(process.execPath, [PROCESS], { env, stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end(`${JSON.stringify(asked)}\n`.repeat(times));
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => lines.push(line));
  await once(child, "close");
  // The process above writes it.
  return { ...(JSON.parse(lines.at(-1) ?? "") as ProxyAnswer), connections: proxy.connections - from };
}

const proxyUrl = () => `http://127.0.0.1:${proxy.port}`;

describe("traffic to Azure", () => {
  for (const variable of ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY"]) {
    test(`goes through the proxy that ${variable} names, the token's too`, async () => {
      const last = (await emulator.requests()).at(-1)?.sequence ?? 0;
      const { isThere, message, connections } = await ask({ [variable]: proxyUrl() });
      assert.ok(isThere, message);
      assert.ok(connections > 0);
      const hosts = new Set((await emulator.requests({ after: last })).map(({ host }) => host));
      assert.deepEqual(hosts, new Set(["behind-a-proxy.vault.azure.net", "login.microsoftonline.com"]));
    });
  }

  test("takes the tunnel that it has for the next request", async () => {
    const once = await ask({ HTTPS_PROXY: proxyUrl() });
    const often = await ask({ HTTPS_PROXY: proxyUrl() }, question, 10);
    assert.ok(often.isThere, often.message);
    assert.equal(often.connections, once.connections);
  });

  test("takes an address without http:// for one of an HTTP proxy", async () => {
    const { isThere, message } = await ask({ HTTPS_PROXY: `127.0.0.1:${proxy.port}` });
    assert.ok(isThere, message);
  });

  test("does not go through a proxy that no variable names (control)", async () => {
    const { isThere, connections } = await ask({});
    assert.deepEqual({ isThere, connections }, { isThere: false, connections: 0 });
  });

  for (const [variable, exempt] of [
    ["NO_PROXY", "*"],
    ["NO_PROXY", "azure.net"],
    ["no_proxy", "*.azure.net"],
    ["NO_PROXY", "other.example,behind-a-proxy.vault.azure.net:443"],
  ] as const) {
    test(`goes past the proxy by ${variable}=${exempt}`, async () => {
      const { message, connections } = await ask({ HTTPS_PROXY: proxyUrl(), [variable]: exempt });
      assert.equal(connections, 0);
      // The vault's name does not resolve here.
      assert.match(message, /no connection to the vault .*\((?:ENOTFOUND|EAI_AGAIN)\)/);
    });
  }

  for (const exempt of ["10.0.0.0/8,vault.azure.net:8443", "*.behind-a-proxy.vault.azure.net"]) {
    test(`does not go past it by NO_PROXY=${exempt}`, async () => {
      const { isThere, message } = await ask({ HTTPS_PROXY: proxyUrl(), NO_PROXY: exempt });
      assert.ok(isThere, message);
    });
  }

  test("for a token goes past it where only the authority is exempted", async () => {
    const { message, connections } = await ask({ HTTPS_PROXY: proxyUrl(), NO_PROXY: "microsoftonline.com" });
    assert.ok(connections > 0);
    assert.match(message, /login\.microsoftonline\.com/);
  });

  test("fails for a vault that does not exist with its name, keyvaultName and the proxy in the message", async () => {
    const address = { ...question.address, vaultUrl: "https://no-such-vault.vault.azure.net/" };
    const { message } = await ask({ HTTPS_PROXY: proxyUrl() }, { ...question, address });
    assert.match(message, /proxy in HTTPS_PROXY does not open a tunnel to no-such-vault\.vault\.azure\.net \(HTTP 502\).*keyvaultName/);
  });

  test("trusts the CA that NODE_EXTRA_CA_CERTS names, and no other", async () => {
    const { message } = await ask({ HTTPS_PROXY: proxyUrl(), NODE_EXTRA_CA_CERTS: "" });
    assert.match(message, /certificate is not trusted.*NODE_EXTRA_CA_CERTS/);
  });

  test("gives the proxy the password of its address, which no message shows", async () => {
    const heads: string[] = [];
    const refusing = createServer((socket) => {
      socket.once("data", (head) => {
        heads.push(head.toString());
        socket.end("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
      });
    });
    refusing.listen(0, "127.0.0.1");
    await once(refusing, "listening");
    const { port } = refusing.address() as AddressInfo; // A TCP server has a numbered port.

    const { message } = await ask({ HTTPS_PROXY: `http://us%20er:pass%3Aword@127.0.0.1:${port}` });

    refusing.close();
    const expected = Buffer.from("us er:pass:word").toString("base64");
    assert.match(
      heads[0] ?? "",
      new RegExp(`^CONNECT behind-a-proxy\\.vault\\.azure\\.net:443 [^]*Proxy-Authorization: Basic ${expected}`, "i"),
    );
    assert.match(message, /proxy in HTTPS_PROXY does not open a tunnel to behind-a-proxy\.vault\.azure\.net \(HTTP 407\)/);
    for (const secret of ["pass", expected]) assert.ok(!message.includes(secret), message);
  });
});

describe("what never goes through a proxy", () => {
  /** Every variable that could select a proxy, without exemptions. */
  const everything = (): Environment => ({
    HTTPS_PROXY: proxyUrl(),
    HTTP_PROXY: proxyUrl(),
    ALL_PROXY: proxyUrl(),
    https_proxy: proxyUrl(),
    http_proxy: proxyUrl(),
    NODE_USE_ENV_PROXY: "1",
  });

  test("is the machine's metadata service, though its identity's vault is", async () => {
    const { appId, tenantId } = await emulator.createManagedIdentity({ kind: "user" });
    await emulator.grant({ vault: "behind-a-proxy", appId, permissions: ["get"] });
    const last = (await emulator.requests()).at(-1)?.sequence ?? 0;

    const asked = { kind: "vault", address: { ...question.address, tenantId }, clientId: appId } as const;
    const { isThere, message, connections } = await ask({ ...everything(), AZURE_POD_IDENTITY_AUTHORITY_HOST: emulator.imdsUrl }, asked);

    assert.ok(isThere, message);
    assert.ok(connections > 0);
    const requests = await emulator.requests({ after: last });
    assert.ok(requests.some(({ host, status }) => host === "169.254.169.254" && status === 200));
    // The emulator's proxy rejects plain HTTP, and logs that.
    assert.deepEqual(
      requests.filter(({ status }) => status === 403),
      [],
    );
  });

  test("is the API server", async () => {
    let seen = 0;
    const server = createServer((socket) => {
      seen += 1;
      socket.destroy();
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const kubeconfig = join(folder, "kubeconfig");
    const { port } = server.address() as AddressInfo; // A TCP server has a numbered port.
    // Also with a name, because the proxy would not be used for an address on this machine anyway.
    for (const host of ["127.0.0.1", "localhost"]) {
      const cluster = { name: "c", cluster: { server: `https://${host}:${port}` } };
      const content = {
        clusters: [cluster],
        users: [{ name: "u", user: {} }],
        contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
      };
      await writeFile(kubeconfig, JSON.stringify({ apiVersion: "v1", kind: "Config", "current-context": "x", ...content }));
      const before = seen;
      const { connections } = await ask(everything(), { kind: "apiServer", kubeconfig });
      assert.deepEqual({ connections, isReached: seen > before }, { connections: 0, isReached: true });
    }
    server.close();
  });

  test("would be noticed: the same environment leads the vault's traffic there (control)", async () => {
    const { connections } = await ask(everything());
    assert.ok(connections > 0);
  });
});
