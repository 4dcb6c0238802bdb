import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { describe, test } from "node:test";
import { relaySockets } from "../e2e/support/socket-relay.ts";
import { eventually } from "../support/time/eventually.ts";

const CONNECTIONS = 20;

/** Number of open sockets of this process. A connection of the process to itself counts with both ends. */
function openSockets(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource === "TCPSocketWrap").length;
}

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port; // The server listens on TCP.
}

describe("the relay between network namespaces", () => {
  test("U10: closes the connection to its target with the one that it came from, also in the middle of an answer", async () => {
    const talkers = new Set<Socket>();
    // Sends a first part, and the rest when its client has ended its side, like a watch of the API server that the client gives up.
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      talkers.add(socket.on("error", () => undefined).once("end", () => socket.end("rest")));
      socket.resume().write("word");
    });
    const relay = await relaySockets({ host: "127.0.0.1", port: 0 }, { host: "127.0.0.1", port: await listen(server) });
    try {
      const before = openSockets();
      for (let round = 0; round < CONNECTIONS; round += 1) {
        const client = connect({ host: "127.0.0.1", port: relay.port });
        await once(client, "data");
        client.resume().end();
        await once(client, "close");
      }
      assert.equal(talkers.size, CONNECTIONS, "each connection reached the target");

      await eventually(() => openSockets() === before, { what: "as many open sockets as before", within: 5_000 }).catch(() => undefined);

      assert.equal(openSockets(), before);
    } finally {
      await relay.close();
      server.close();
      for (const socket of talkers) socket.destroy();
    }
  });

  test("delivers everything that was sent before one side ended", async () => {
    const sent = Buffer.alloc(8 << 20, "x");
    const server = createServer((socket) => void socket.end(sent));
    const relay = await relaySockets({ host: "127.0.0.1", port: 0 }, { host: "127.0.0.1", port: await listen(server) });
    try {
      let received = 0;
      const client = connect({ host: "127.0.0.1", port: relay.port }).on("data", (part) => (received += part.length));
      await once(client, "close");

      assert.equal(received, sent.length);
    } finally {
      await relay.close();
      server.close();
    }
  });
});
