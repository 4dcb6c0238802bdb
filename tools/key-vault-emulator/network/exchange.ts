import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";

/** One request with its whole body. Handlers are functions from it to an {@link Answer}. */
export interface Exchange {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  /** The path without empty parts, because clients send `//secrets/x` and `/secrets/x/`, and the real service accepts both. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
  /** A body that is not JSON, used instead of `body`. The headers contain its type. */
  readonly text?: string;
  /** Application id of the caller for the request log. Absent until it is known. */
  readonly identity?: string;
  /** Audience of the token that was issued, for the request log. */
  readonly audience?: string;
}

const MAX_BODY_BYTES = 1_048_576;

/** Returns `undefined` if the body is larger than any request of these APIs. */
export async function readExchange(request: IncomingMessage): Promise<Exchange | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    // A request without an encoding yields only Buffers.
    const bytes = chunk as Buffer;
    size += bytes.byteLength;
    if (size <= MAX_BODY_BYTES) chunks.push(bytes);
  }
  if (size > MAX_BODY_BYTES) return undefined;
  const target = splitTarget(request.url ?? "/");
  return {
    method: request.method ?? "GET",
    host: hostNameOf(request.headers.host ?? ""),
    path: target.path,
    segments: target.path.split("/").filter((part) => part !== ""),
    query: target.query,
    headers: request.headers,
    body: Buffer.concat(chunks).toString("utf8"),
  };
}

/** `new URL` would read `//secrets/x` as a host. */
function splitTarget(target: string): { readonly path: string; readonly query: URLSearchParams } {
  const mark = target.indexOf("?");
  const path = mark < 0 ? target : target.slice(0, mark);
  return { path, query: new URLSearchParams(mark < 0 ? "" : target.slice(mark + 1)) };
}

export function hostNameOf(authority: string): string {
  return authority.replace(/:\d+$/, "").toLowerCase();
}

export function writeAnswer(response: ServerResponse, answer: Answer): void {
  if (answer.text !== undefined) {
    response.writeHead(answer.status, { ...answer.headers, "Content-Length": Buffer.byteLength(answer.text) }).end(answer.text);
    return;
  }
  if (answer.body === undefined) {
    response.writeHead(answer.status, answer.headers).end();
    return;
  }
  const body = Buffer.from(JSON.stringify(answer.body), "utf8");
  response.writeHead(answer.status, {
    "Content-Type": "application/json; charset=utf-8",
    "Content-Length": body.byteLength,
    "X-Content-Type-Options": "nosniff",
    "Strict-Transport-Security": "max-age=31536000;includeSubDomains",
    ...answer.headers,
  });
  response.end(body);
}

/** Writes the head of the whole answer and half of its body, then closes the connection. */
export function writeTruncated(response: ServerResponse, answer: Answer): void {
  const body = Buffer.from(JSON.stringify(answer.body), "utf8");
  response.writeHead(answer.status, {
    "Content-Type": "application/json; charset=utf-8",
    "Content-Length": body.byteLength,
    ...answer.headers,
  });
  response.write(body.subarray(0, Math.floor(body.byteLength / 2)), () => response.destroy());
}

/** Writes status 200 and an HTML page, like a captive portal or a proxy. */
export function writePage(response: ServerResponse): void {
  const body = "<!DOCTYPE html>\n<html><body>This is not the service you asked for.</body></html>\n";
  response.writeHead(200, { "Content-Type": "text/html; charset=utf-8", "Content-Length": Buffer.byteLength(body) });
  response.end(body);
}
