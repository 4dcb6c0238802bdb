import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Agent, createServer, get } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { createHttpHeaders, createPipelineRequest, type PipelineRequest } from "@azure/core-rest-pipeline";
import { type SdkNetwork, sdkNetwork } from "../../src/azure/sdk-network.ts";
import { selfSignedCertificate } from "../support/fixtures/serving-certificate.ts";

async function agentFor(
  url: string,
  { given, network = sdkNetwork(undefined) }: { readonly given?: Agent; readonly network?: SdkNetwork } = {},
): Promise<PipelineRequest["agent"]> {
  const request = createPipelineRequest({ url });
  if (given !== undefined) request.agent = given;
  const response = { status: 200, headers: createHttpHeaders(), request };
  for (const { policy } of network.additionalPolicies) await policy.sendRequest(request, async () => response);
  return request.agent;
}

describe("direct connections to a service of Azure", () => {
  const server = createServer(selfSignedCertificate(), (request, response) => answer(request, response));
  const open = new Set<Socket>();
  let answer: (request: IncomingMessage, response: ServerResponse) => void;
  let opened = 0;
  let url = "";
  let agent: Agent;
  const ask = async (signal = AbortSignal.timeout(10_000)): Promise<number | undefined> => {
    // The TLS context is that of the process, which does not trust the CA.
    const [response] = (await once(get(url, { agent, signal, rejectUnauthorized: false }), "response")) as [IncomingMessage];
    response.resume();
    await once(response, "end");
    return response.statusCode;
  };

  before(async () => {
    server.on("secureConnection", (socket: Socket) => {
      open.add(socket);
      opened += 1;
      socket.once("close", () => open.delete(socket));
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`; // The server listens on TCP.
  });

  beforeEach(async () => {
    opened = 0;
    answer = (_request, response) => void setTimeout(() => response.end(), 20);
    const given = await agentFor(url);
    assert.ok(given instanceof Agent);
    agent = given;
  });

  afterEach(() => {
    agent.destroy();
    for (const socket of open) socket.destroy();
    open.clear();
  });

  after(() => {
    server.closeAllConnections();
    server.close();
  });

  test("are used again by the next requests", async () => {
    for (let index = 0; index < 3; index += 1) await ask();
    assert.equal(opened, 1);
    assert.equal(agent.options.timeout, 30_000, "until nobody has used them for so long");
  });

  test("have one agent for all requests, with one TLS context for all connections", async () => {
    const network = sdkNetwork(undefined);
    const one = await agentFor(url, { network });
    assert.ok(one instanceof Agent && one.options.secureContext !== undefined);
    assert.equal(await agentFor("https://other.example.com/", { network }), one);
  });

  test("are not those of a request that the SDK sends by a proxy of the environment", async () => {
    const tunnelled = new Agent();
    assert.equal(await agentFor("https://shop.vault.azure.net/", { given: tunnelled }), tunnelled);
  });

  test("are the SDK's own where the service speaks HTTP, as an emulator does", async () => {
    assert.equal(await agentFor("http://127.0.0.1:10001/"), undefined);
  });
});
