import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createProxy, type Server } from "node:http";
import { createServer, request, type Server as TlsServer } from "node:https";
import { type AddressInfo, connect, createServer as createTcpServer, type Socket, type Server as TcpServer } from "node:net";
import { after, before, describe, type TestContext, test } from "node:test";
import { createSecureContext, createServer as createTlsServer, TLSSocket } from "node:tls";
import { TunnelAgent } from "../../src/azure/tunnel-agent.ts";
import { lazily } from "../../src/runtime/lazily.ts";
import { selfSignedCertificate } from "../support/fixtures/serving-certificate.ts";
import { eventually } from "../support/time/eventually.ts";

const IDLE_MS = 500;
const AT_ONCE = 5;
const secureContext = lazily(() => createSecureContext());

describe("tunnels through a proxy", () => {
  let vault: TlsServer;
  let proxy: Server;
  let tunnels = 0;
  let opened = 0;

  before(async () => {
    vault = createServer(selfSignedCertificate(), (_request, response) => response.end("ok"));
    proxy = createProxy();
    proxy.on("connect", (_request, client) => {
      tunnels += 1;
      opened += 1;
      const onward = connect(portOf(vault), "127.0.0.1", () => {
        client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
        onward.pipe(client).pipe(onward);
      });
      onward.on("error", () => client.destroy());
      client.on("error", () => onward.destroy());
      client.on("close", () => {
        tunnels -= 1;
        onward.destroy();
      });
    });
    for (const server of [vault, proxy]) await once(server.listen(0, "127.0.0.1"), "listening");
    // Longer than each test: only the agent closes connections.
    vault.keepAliveTimeout = 60_000;
  });

  after(() => {
    proxy.close();
    vault.close();
  });

  test("are kept for the next request, and closed when nobody has used them for a while", async () => {
    const agent = new TunnelAgent(new URL(`http://127.0.0.1:${portOf(proxy)}`), { idleMs: IDLE_MS, secureContext });
    const ask = (): Promise<void> => get(portOf(vault), agent);
    await Promise.all(Array.from({ length: AT_ONCE }, ask));
    assert.equal(opened, AT_ONCE);
    await ask();
    assert.equal(opened, AT_ONCE, "one that was idle was taken");
    await eventually(() => tunnels === 0, { within: 20 * IDLE_MS, what: "the end of idle tunnels" });
    await ask();
    assert.equal(opened, AT_ONCE + 1);
    agent.destroy();
  });

  test("share one TLS context, because each context takes time and memory", async (t) => {
    const made = t.mock.fn(() => createSecureContext());
    const agent = new TunnelAgent(new URL(`http://127.0.0.1:${portOf(proxy)}`), { idleMs: IDLE_MS, secureContext: lazily(made) });
    t.after(() => agent.destroy());
    const contexts = new Set<unknown>();
    agent.on("free", (socket) => contexts.add(contextOf(socket)));
    await Promise.all(Array.from({ length: AT_ONCE }, () => get(portOf(vault), agent)));
    assert.equal(made.mock.callCount(), 1);
    assert.deepEqual([...contexts], [made.mock.calls[0]?.result]);
  });
});

/** Returns the context that the socket was opened with. Node keeps it among the socket's private options. */
function contextOf(socket: unknown): unknown {
  assert.ok(socket instanceof TLSSocket);
  const hidden = Object.getOwnPropertySymbols(socket).find(({ description }) => description === "connect-options");
  return hidden === undefined
    ? undefined
    : (socket as unknown as Record<symbol, { readonly secureContext?: unknown }>)[hidden]?.secureContext;
}

describe("a proxy that accepts connections and does not answer", () => {
  const silent = new Set<Socket>();
  const hold = (socket: Socket): void => {
    silent.add(socket.on("error", () => undefined).on("close", () => silent.delete(socket)));
    // Without a reader, the socket does not notice its end.
    socket.resume();
  };

  async function agentFor(t: TestContext, scheme: string, server: TcpServer): Promise<TunnelAgent> {
    await once(server.listen(0, "127.0.0.1"), "listening");
    const agent = new TunnelAgent(new URL(`${scheme}://127.0.0.1:${portOf(server)}`), { idleMs: IDLE_MS, secureContext, openingMs: 300 });
    Object.assign(agent.connectOpts, { rejectUnauthorized: false });
    t.after(() => {
      for (const socket of silent) socket.destroy();
      server.close();
      agent.destroy();
    });
    return agent;
  }

  for (const [scheme, server] of [
    ["http", createTcpServer(hold)],
    ["https", createTlsServer(selfSignedCertificate(), hold)],
  ] as const)
    test(`RC6: keeps no connection of requests that have ended (${scheme})`, async (t) => {
      const agent = await agentFor(t, scheme, server);
      const given = Array.from({ length: AT_ONCE }, () =>
        request({ host: "vault.example", port: 443, agent }).on("error", () => undefined),
      );
      for (const each of given) each.end();
      await eventually(() => silent.size === AT_ONCE, { what: "connections to the proxy" });

      for (const each of given) each.destroy();

      await eventually(() => silent.size === 0, { within: 5_000, what: "the end of the connections" });
    });

  test("RC6: is reported as not reached to a request that still waits", async (t) => {
    const agent = await agentFor(t, "http", createTcpServer(hold));
    const asked = request({ host: "vault.example", port: 443, agent }).end();
    const error = await once(asked, "response").catch((thrown: unknown) => thrown);

    assert.equal(String(error), "ProxyFailure: PROXY_ETIMEDOUT");
  });
});

function portOf(server: Server | TlsServer | TcpServer): number {
  return (server.address() as AddressInfo).port; // The server listens on TCP.
}

async function get(port: number, agent: TunnelAgent): Promise<void> {
  const asked = request({ host: "127.0.0.1", port, agent, rejectUnauthorized: false }).end();
  const [response] = await once(asked, "response");
  response.resume();
  await once(response, "end");
}
