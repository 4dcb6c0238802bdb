import assert from "node:assert/strict";
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { connect, type TLSSocket } from "node:tls";
import { createFairTurns } from "../../src/runtime/fair-turns.ts";
import { EVERY_REQUEST } from "../../src/runtime/one-request.ts";
import { guardConnections } from "../../src/webhook/connection-guard.ts";
import { selfSignedCertificate } from "../support/fixtures/serving-certificate.ts";
import { eventually } from "../support/time/eventually.ts";

const REQUEST = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}";

describe("connections that are renewed", () => {
  const served = selfSignedCertificate();
  const server = createServer({ ...served, ...EVERY_REQUEST, keepAliveTimeout: 95_000 });
  let responses: ServerResponse[] = [];
  const guard = guardConnections(
    server,
    (request, response) => {
      request.resume();
      responses.push(response);
    },
    createFairTurns(),
  );
  before(async () => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  after(() => {
    guard.endAll();
    guard.close();
    server.close();
  });

  /** Sends the text, and returns the client and the response of the server when the listener has the request. */
  async function ask(
    text: string,
  ): Promise<{ readonly client: TLSSocket; readonly response: ServerResponse; readonly read: () => string }> {
    responses = [];
    const { port } = server.address() as AddressInfo;
    const client = connect({ host: "127.0.0.1", port, ca: served.cert, servername: "localhost" });
    let received = "";
    client.on("error", () => undefined).on("data", (chunk) => (received += String(chunk)));
    client.write(text);
    const response = await eventually(() => responses[0], { every: 5 });
    return { client, response, read: () => received };
  }

  test("RV7: end with the response that is in progress, which tells the client", async () => {
    const { client, response, read } = await ask(REQUEST);
    guard.renew();
    assert.ok(!client.closed);
    response.end("answer");
    await eventually(() => read().endsWith("answer"), { every: 5 });
    client.write(REQUEST);
    await eventually(() => client.closed, { every: 5, within: 3_000, what: "the end of the connection" });

    assert.match(read(), /^HTTP\/1\.1 200 OK\r\n(?:.*\r\n)*Connection: close\r\n/);
    assert.equal(read().split("HTTP/1.1 200").length, 2, "one response");
    assert.deepEqual(responses, [response]);
  });

  test("RV7: end with a response of which a part was sent before", async () => {
    const { client, response, read } = await ask(REQUEST);
    response.writeHead(200, { "content-length": 6 }).write("ans");
    await eventually(() => read().endsWith("ans"), { every: 5 });
    guard.renew();
    response.end("wer");
    await eventually(() => client.closed, { every: 5, within: 3_000, what: "the end of the connection" });

    assert.match(read(), /answer$/);
  });

  test("RV7: end with a request that was answered before it had arrived as a whole", async () => {
    const { client, response, read } = await ask(REQUEST.slice(0, -1));
    response.end("answer");
    await eventually(() => read().endsWith("answer"), { every: 5 });
    guard.renew();
    client.write("}");
    await eventually(() => client.closed, { every: 5, within: 3_000, what: "the end of the connection" });

    assert.deepEqual(responses, [response]);
  });

  test("stay open after a response without that (control)", async () => {
    const { client, response, read } = await ask(REQUEST);
    response.end("answer");
    await eventually(() => read().endsWith("answer"), { every: 5 });
    client.write(REQUEST);
    await eventually(() => responses.length === 2, { every: 5 });

    client.destroy();
    assert.match(read(), /Connection: keep-alive/);
  });
});
