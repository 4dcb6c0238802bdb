/** A plain HTTP proxy that leads the fixed address of the machine's metadata service to the emulator's. */
import { once } from "node:events";
import { createServer, request } from "node:http";

import { LOOPBACK, listenOnLoopback } from "../../../tools/key-vault-emulator/network/loopback-server.ts";

const METADATA_HOST = "169.254.169.254";

export interface MetadataProxy {
  /** Value for `HTTP_PROXY`. */
  readonly url: string;
  stop(): Promise<void>;
}

export async function startMetadataProxy(imdsUrl: string): Promise<MetadataProxy> {
  const server = createServer((asked, response) => {
    const { host, pathname, search } = new URL(asked.url ?? "", "http://unknown/");
    if (host !== METADATA_HOST) {
      response.writeHead(403).end();
      return;
    }
    const sent = request(new URL(`${pathname}${search}`, imdsUrl), { method: asked.method ?? "GET", headers: asked.headers, agent: false });
    sent.once("response", (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    sent.once("error", () => response.writeHead(502).end());
    asked.pipe(sent);
  });
  const port = await listenOnLoopback(server, 0);
  return {
    url: `http://${LOOPBACK}:${port}`,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
