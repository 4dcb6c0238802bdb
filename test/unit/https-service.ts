import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Agent, createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Writable } from "node:stream";
import { createGzip, gzipSync } from "node:zlib";
import { type SdkNetwork, sdkNetwork } from "../../src/azure/sdk-network.ts";
import { selfSignedCertificate } from "../support/fixtures/serving-certificate.ts";

const served = selfSignedCertificate();

/** An HTTPS service, with counters of the bytes that it sent and of the responses that it could not finish. */
export interface HttpsService {
  readonly url: string;
  /** The network of the official SDK, connected to the service without the machine's proxy. */
  readonly network: SdkNetwork;
  /** Number of bytes that the service sent to its clients, as the bodies of all responses. */
  sent(): number;
  /** Number of requests whose connection ended before the response did. */
  cut(): number;
  close(): Promise<void>;
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** Starts a service in this process, with real TLS. */
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
  const { port } = server.address() as AddressInfo; // The server listens on TCP.
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

/** Returns the bytes of a JSON text that contains a string of this number of characters. */
export function jsonOf(before: string, characters: number, after: string): Buffer {
  return Buffer.concat([Buffer.from(before), Buffer.alloc(characters, "x"), Buffer.from(after)]);
}

/** Writes an endless body until the client closes the connection. */
export function writeEndlessly(response: Writable, begin: string): void {
  const chunk = Buffer.alloc(65_536, "x");
  const go = (): void => {
    while (!response.destroyed && response.write(chunk)) continue;
    if (!response.destroyed) response.once("drain", go);
  };
  response.write(begin);
  go();
}

/** Writes an endless body with gzip, so that few bytes are in transit. */
export function writePackedEndlessly(response: ServerResponse, begin: string): void {
  response.setHeader("content-encoding", "gzip");
  const packed = createGzip();
  packed.pipe(response);
  response.once("close", () => packed.destroy());
  writeEndlessly(packed, begin);
}

/** Writes the text with gzip. */
export function writePacked(response: ServerResponse, json: Buffer): void {
  response.setHeader("content-encoding", "gzip");
  response.end(gzipSync(json));
}
