import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { createDirectAgent } from "../../src/azure/direct-agent.ts";

const address = (server: ReturnType<typeof createServer>): AddressInfo => server.address() as AddressInfo; // The server listens on TCP.

describe("a direct agent", () => {
  test("ends a request that nothing answers, and its connection", async () => {
    const server = createServer(() => undefined);
    await once(server.listen(0, "127.0.0.1"), "listening");
    const ended = once(server, "connection").then(([socket]) => once(socket, "close"));

    const asked = request({ host: "127.0.0.1", port: address(server).port, agent: createDirectAgent(50) }).end();
    const [error] = (await once(asked, "error").catch((failure: unknown) => [failure])) as [NodeJS.ErrnoException]; // The agent destroys the request with this error.

    assert.equal(error.code, "ETIMEDOUT");
    await ended;
    server.close();
  });

  test("lets an answer through", async () => {
    const server = createServer((_, response) => response.end("here"));
    await once(server.listen(0, "127.0.0.1"), "listening");

    const asked = request({ host: "127.0.0.1", port: address(server).port, agent: createDirectAgent(5_000) }).end();
    const [response] = await once(asked, "response");

    assert.equal(response.statusCode, 200);
    response.resume();
    server.close();
  });
});
