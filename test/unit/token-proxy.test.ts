import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { createServer } from "node:tls";

import { createTokenProxy } from "../../src/azure/token-proxy.ts";
import type { TokenProxyPlace } from "../../src/runtime/token-proxy-place.ts";
import { issueServingCertificate } from "../../tools/key-vault-emulator/network/certificates.ts";
import { eventually } from "../support/time/eventually.ts";

const NOBODY = { host: "127.0.0.1", port: 1 };
let folder: string;
let first: string;
let second: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "token-proxy-"));
  [first, second] = (await Promise.all(["a", "b"].map(async (name) => (await issueServingCertificate([name])).caPem))) as [string, string]; // Two names, two CAs.
});

after(async () => {
  await rm(folder, { recursive: true });
});

const place = (caFile: string): TokenProxyPlace => ({
  url: "https://proxy.example/",
  serverName: "a.ests.aks",
  caFile,
  apiServer: NOBODY,
});

const messageOf = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => assert.fail("it was not refused"),
    (error: unknown) => error,
  );

describe("the token proxy of a cluster", () => {
  test("is judged by the CA as it is now: the kubelet replaces the file, which is empty for a moment", async () => {
    const caFile = join(folder, "replaced.crt");
    await writeFile(caFile, first);
    const proxy = createTokenProxy(place(caFile), { now: () => 0 });
    const { agent } = await proxy.route();
    assert.deepEqual([agent.options.ca, agent.options.servername], [first, "a.ests.aks"]);
    assert.equal((await proxy.route()).agent, agent, "connections are kept");

    await writeFile(caFile, "");
    assert.equal((await proxy.route()).agent, agent);

    await writeFile(caFile, second);
    const replaced = (await proxy.route()).agent;
    assert.deepEqual([replaced.options.ca, replaced.options.servername], [second, "a.ests.aks"]);
  });

  test("is judged by the CAs of the process where a name is given and no such file is there", async () => {
    const { agent } = await createTokenProxy(place(join(folder, "absent.crt")), { now: () => 0 }).route();
    assert.equal("ca" in agent.options, false);
  });

  test("takes no file that is too large for a CA", async () => {
    const caFile = join(folder, "large.crt");
    await writeFile(caFile, `${first}${"#".repeat(1_048_577)}`);
    const error = await messageOf(createTokenProxy(place(caFile), { now: () => 0 }).route());
    assert.match(String(error), /large\.crt, the CA of the cluster, is larger than 1024 KiB/);
  });

  test("RC9: is found without a connection left open to an API server that does not close its side", async (t) => {
    const { caPem, certificatePem, keyPem } = await issueServingCertificate(["localhost"]);
    const caFile = join(folder, "open.crt");
    await writeFile(caFile, caPem);
    const open = new Set<Socket>();
    const server = createServer({ cert: certificatePem, key: keyPem, allowHalfOpen: true });
    server.on("connection", (socket: Socket) => void open.add(socket.on("close", () => open.delete(socket))));
    server.on("secureConnection", (socket) => {
      const writing = setInterval(() => socket.write("more"), 50);
      socket.on("error", () => undefined).on("close", () => clearInterval(writing));
      // Reads the end of the other side, and does not answer it.
      socket.resume();
    });
    t.after(() => {
      for (const socket of open) socket.destroy();
      server.close();
    });
    await once(server.listen(0, "localhost"), "listening");
    const { port } = server.address() as AddressInfo; // The server listens on TCP.
    const proxy = createTokenProxy(
      { ...place(caFile), serverName: undefined, apiServer: { host: "localhost", port } },
      { now: () => 0, timeoutMs: 300 },
    );

    assert.match(String(await messageOf(proxy.route())), /does not name an AKS cluster/);

    await eventually(() => open.size === 0, { within: 3_000, what: "the end of the connection" });
  });

  test("is looked for once for all who wait, and again only after a while where that failed", async () => {
    const caFile = join(folder, "kept.crt");
    await writeFile(caFile, first);
    let now = 0;
    const proxy = createTokenProxy({ ...place(caFile), serverName: undefined }, { now: () => now });
    const [one, other] = await Promise.all([messageOf(proxy.route()), messageOf(proxy.route())]);
    assert.match(
      String(one),
      /the cluster cannot be identified by the certificate of the API server at 127\.0\.0\.1:1: no connection \(ECONNREFUSED\)/,
    );
    assert.equal(one, other);
    now = 29_999;
    assert.equal(await messageOf(proxy.route()), one);
    now = 30_000;
    const again = await messageOf(proxy.route());
    assert.notEqual(again, one);
    assert.equal(String(again), String(one));
  });
});
