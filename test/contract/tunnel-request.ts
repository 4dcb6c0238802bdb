import { readFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";

export interface TunnelTarget {
  readonly proxyUrl: string;
  readonly caFile: string;
}

export interface RawRequest {
  readonly host: string;
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface RawResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: unknown;
}

/** Returns the proxy's answer to a CONNECT. The caller must close the socket. */
export function openTunnel(
  { proxyUrl }: Pick<TunnelTarget, "proxyUrl">,
  authority: string,
): Promise<{ readonly status: number; readonly socket: Socket }> {
  const { hostname, port } = new URL(proxyUrl);
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ host: hostname, port, method: "CONNECT", path: authority, agent: false });
    sent.once("connect", (response, socket) => resolve({ status: response.statusCode ?? 0, socket }));
    sent.once("error", reject);
    sent.end();
  });
}

/** Sends one HTTPS request through the proxy without an SDK, so that a test can send and see details that the SDKs hide. */
export async function requestThroughTunnel(target: TunnelTarget, wanted: RawRequest): Promise<RawResponse> {
  const { status, socket } = await openTunnel(target, `${wanted.host}:443`);
  if (status !== 200) {
    socket.destroy();
    throw new Error(`the proxy answered ${status} for ${wanted.host}`);
  }
  const secure = connectTls({ socket, servername: wanted.host, ca: await readFile(target.caFile, "utf8") });
  try {
    return await new Promise((resolve, reject) => {
      const sent = httpsRequest(
        {
          createConnection: () => secure,
          host: wanted.host,
          path: wanted.path,
          method: wanted.method ?? "GET",
          headers: { ...wanted.headers },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("end", () => {
            const text = Buffer.concat(chunks).toString("utf8");
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body: JSON.parse(text) });
          });
        },
      );
      sent.once("error", reject);
      sent.end(wanted.body);
    });
  } finally {
    secure.destroy();
  }
}
