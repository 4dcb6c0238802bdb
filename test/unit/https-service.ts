import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Agent, createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Writable } from "node:stream";
import { createGzip, gzipSync } from "node:zlib";
import { type SdkNetwork, sdkNetwork } from "../../src/azure/sdk-network.ts";
import { selfSignedCertificate } from "../support/fixtures/serving-certificate.ts";

const served = selfSignedCertificate();

/** What the service writes, and how much of it was wanted. */
export interface HttpsService {
  readonly url: string;
  /** The way of the official SDK to the service, whichever proxy the machine has. */
  readonly network: SdkNetwork;
  /** Bytes that were sent as the bodies of all answers. */
  sent(): number;
  /** Requests whose connection ended before their answer did. */
  cut(): number;
  close(): Promise<void>;
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A service of this process with real TLS. */
export async function startHttpsService(answer: Answer): Promise<HttpsService> {
  let sent = 0;
  let cut = 0;
  const server = createServer(served, (request, response) => {
    const before = request.socket.bytesWritten;
    response.once("close", () => {
      sent += request.socket.bytesWritten - before;
      if (!response.writableFinished) cut += 1;
    });
    answer(request, response);
  });
  await once(server.listen(0, "localhost"), "listening");
  const { port } = server.address() as AddressInfo; // It listens on TCP.
  const agent = new Agent({ ca: served.cert, keepAlive: true });
  return {
    url: `https://localhost:${port}/`,
    network: {
      ...sdkNetwork(undefined),
      additionalPolicies: [
        { position: "perCall", policy: { name: "testAgent", sendRequest: (request, next) => next(Object.assign(request, { agent })) } },
      ],
    },
    sent: () => sent,
    cut: () => cut,
    close: async () => {
      agent.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** The bytes of a JSON text with a string of so many characters in it. */
export function jsonOf(before: string, characters: number, after: string): Buffer {
  return Buffer.concat([Buffer.from(before), Buffer.alloc(characters, "x"), Buffer.from(after)]);
}

/** A body without an end, until nobody wants more of it. */
export function writeEndlessly(response: Writable, begin: string): void {
  const chunk = Buffer.alloc(65_536, "x");
  const go = (): void => {
    while (!response.destroyed && response.write(chunk)) continue;
    if (!response.destroyed) response.once("drain", go);
  };
  response.write(begin);
  go();
}

/** The same, of which little is on the way. */
export function writePackedEndlessly(response: ServerResponse, begin: string): void {
  response.setHeader("content-encoding", "gzip");
  const packed = createGzip();
  packed.pipe(response);
  response.once("close", () => packed.destroy());
  writeEndlessly(packed, begin);
}

/** A text that is compressed. */
export function writePacked(response: ServerResponse, json: Buffer): void {
  response.setHeader("content-encoding", "gzip");
  response.end(gzipSync(json));
}
