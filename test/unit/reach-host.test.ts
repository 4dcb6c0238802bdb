import assert from "node:assert/strict";
import { createServer as createProxy, type Server } from "node:http";
import { connect, createServer as createTcpServer, type Server as TcpServer } from "node:net";
import { after, before, describe, test } from "node:test";
import { createServer as createTlsServer } from "node:tls";
import { readOutboundProxy } from "../../src/runtime/outbound-proxy.ts";
import { createReachHost, type ReachHostOptions } from "../../src/tls/reach-host.ts";
import { selfSignedCertificate } from "../support/fixtures/serving-certificate.ts";

const served = selfSignedCertificate("A CA of our own", ["vault.example.com", "localhost"]);
const servers: (Server | TcpServer)[] = [];
const asked: { readonly target: string; readonly authorization: string | undefined }[] = [];
let port = 0;
let proxyPort = 0;

function listen(server: Server | TcpServer): Promise<number> {
  servers.push(server);
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
}

const never = new AbortController().signal;

function proxied(address: string, bypassed = ""): ReachHostOptions {
  const proxy = readOutboundProxy({ HTTPS_PROXY: address, NO_PROXY: bypassed });
  assert.ok(proxy.ok);
  return { proxy: proxy.value };
}

describe("a host", () => {
  before(async () => {
    const tls = createTlsServer(served);
    tls.on("tlsClientError", () => undefined);
    port = await listen(tls);
    const proxy = createProxy();
    proxy.on("connect", (request, client) => {
      asked.push({ target: request.url ?? "", authorization: request.headers["proxy-authorization"] });
      if (request.url?.startsWith("refused.") === true) {
        client.end("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
        return;
      }
      const upstream = connect(port, "127.0.0.1", () => {
        client.write("HTTP/1.1 200 Connection established\r\n\r\n");
        client.pipe(upstream).pipe(client);
      });
      for (const socket of [client, upstream]) socket.on("error", () => socket.destroy());
    });
    proxyPort = await listen(proxy);
  });

  after(() => {
    for (const server of servers) server.close();
  });

  test("that serves a certificate of a trusted CA is reached", async () => {
    assert.deepEqual(await createReachHost()({ host: "localhost", port, ca: served.cert }, never), {
      reach: { kind: "reached" },
      proxy: undefined,
    });
  });

  test("whose CA is not trusted is told with the CA's name", async () => {
    const { reach } = await createReachHost()({ host: "localhost", port }, never);

    assert.deepEqual(reach, { kind: "untrusted", code: "DEPTH_ZERO_SELF_SIGNED_CERT", issuer: "A CA of our own" });
  });

  test("that serves another host's certificate is not taken for it", async () => {
    const { reach } = await createReachHost()({ host: "127.0.0.1", port, ca: served.cert }, never);

    assert.deepEqual([reach.kind, "code" in reach && reach.code], ["untrusted", "ERR_TLS_CERT_ALTNAME_INVALID"]);
  });

  test("is asked for through the proxy, which gets its password and does not see it told", async () => {
    const reach = createReachHost(proxied(`http://user:p%40ss@127.0.0.1:${proxyPort}`));

    const answer = await reach({ host: "vault.example.com", ca: served.cert }, never);

    assert.deepEqual(answer, { reach: { kind: "reached" }, proxy: `127.0.0.1:${proxyPort}` });
    assert.deepEqual(asked.at(-1), {
      target: "vault.example.com:443",
      authorization: `Basic ${Buffer.from("user:p@ss").toString("base64")}`,
    });
  });

  test("that the proxy does not let through is told with the proxy's answer", async () => {
    const { reach } = await createReachHost(proxied(`http://127.0.0.1:${proxyPort}`))({ host: "refused.example.com" }, never);

    assert.deepEqual(reach, { kind: "proxyRefuses", status: 407 });
  });

  test("that NO_PROXY exempts, or that is one of the cluster, is asked directly", async () => {
    const before = asked.length;
    const lookup: NonNullable<ReachHostOptions["lookup"]> = (_, options, callback) =>
      callback(null, options.all === true ? [{ address: "127.0.0.1", family: 4 }] : "127.0.0.1", 4);

    const exempted = await createReachHost({ ...proxied(`http://127.0.0.1:${proxyPort}`, ".example.com"), lookup })(
      { host: "vault.example.com", port, ca: served.cert },
      never,
    );
    const direct = await createReachHost({ ...proxied(`http://127.0.0.1:${proxyPort}`), lookup })(
      { host: "vault.example.com", port, ca: served.cert, isDirect: true },
      never,
    );

    assert.deepEqual(
      [exempted, direct],
      [
        { reach: { kind: "reached" }, proxy: undefined },
        { reach: { kind: "reached" }, proxy: undefined },
      ],
    );
    assert.equal(asked.length, before);
  });

  test("that says nothing is given up, and a caller who gives up first is heard", async () => {
    const silent = await listen(createTcpServer());
    const reach = createReachHost({ timeoutMs: 200 });

    assert.deepEqual((await reach({ host: "127.0.0.1", port: silent }, never)).reach, { kind: "silent" });
    const reason = new Error("stopped");
    await assert.rejects(createReachHost()({ host: "127.0.0.1", port: silent }, AbortSignal.abort(reason)), reason);
  });
});
