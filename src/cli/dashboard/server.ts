import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { CommandFailure } from "../shared/command.ts";

export interface Page {
  readonly type: "text/html" | "text/javascript" | "text/css";
  readonly text: string;
}

/** Returns the page at a path without the token, or undefined if there is none. */
export type Render = (path: string, query: URLSearchParams) => Page | undefined;

export interface DashboardServer {
  /** Address of the dashboard, token included. */
  readonly url: string;
  /** Tells every open page to request its view again. */
  notify(): void;
  close(): Promise<void>;
}

const HOST = "127.0.0.1";

/** 192 bits cannot be guessed, and the address still fits on a line. */
const TOKEN_BYTES = 24;

/** Maximum number of pages that the server notifies. Each takes one connection; a browser opens six to a host. */
const MOST_LISTENERS = 16;
const MOST_CONNECTIONS = 64;

/** Minimum time between two notices, in milliseconds. */
const NOTICE_MS = 250;

/** Time between two keep-alive messages, in milliseconds: to a browser's proxy and to this server, a silent connection looks dead. */
const KEEP_ALIVE_MS = 15_000;

const HEADERS = {
  "Cache-Control": "no-store",
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
} as const;

/** Serves pages on loopback to anyone who has the token. It stays in the path: browsers would send a cookie to all ports of 127.0.0.1. */
export async function serve(render: Render, port: number): Promise<DashboardServer> {
  const token = randomBytes(TOKEN_BYTES).toString("base64url");
  const listeners = new Set<ServerResponse>();
  const server = createServer({ maxHeaderSize: 16_384, headersTimeout: 10_000, requestTimeout: 10_000 }, (request, response) => {
    const { port: own } = server.address() as AddressInfo; // A server on TCP has an AddressInfo.
    const refusal = refusalOf(request, [`${HOST}:${own}`, `localhost:${own}`], token);
    if (refusal !== undefined) return answer(response, refusal.status, { type: "text/html", text: refusal.why });
    const { pathname, searchParams } = new URL(request.url ?? "", "http://loopback");
    if (pathname === `/${token}`) return response.writeHead(308, { ...HEADERS, Location: `/${token}/` }).end();
    const path = pathname.slice(token.length + 2);
    if (path === "live") return listen(listeners, response);
    return answerPage(response, () => render(path, searchParams));
  });
  server.maxConnections = MOST_CONNECTIONS;
  await listening(server, port);
  const notices = throttled(() => report(listeners, "data: changed\n\n"));
  const keepAlive = setInterval(() => report(listeners, ": here\n\n"), KEEP_ALIVE_MS);
  return {
    url: `http://${HOST}:${(server.address() as AddressInfo).port}/${token}/`, // A server on TCP has an AddressInfo.
    notify: notices.ask,
    close: async () => {
      clearInterval(keepAlive);
      notices.stop();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const listener of listeners) listener.end();
      setImmediate(() => server.closeAllConnections());
      await closed;
    },
  };
}

interface Refusal {
  readonly status: number;
  readonly why: string;
}

/** Refuses pages of other sites, which reach this port through the user's browser: they lack this host name, this origin, and the token. */
function refusalOf({ method, url = "", headers }: IncomingMessage, hosts: readonly string[], token: string): Refusal | undefined {
  const { host = "", origin, "sec-fetch-site": site = "none" } = headers;
  if (!hosts.includes(host)) return { status: 403, why: "The dashboard answers only at its own address." };
  const isForeign = (origin !== undefined && origin !== `http://${host}`) || (site !== "none" && site !== "same-origin");
  if (isForeign) return { status: 403, why: "The dashboard answers only its own pages." };
  if (!isToken(url.split(/[/?]/)[1] ?? "", token)) return { status: 403, why: "Use the address that the command printed." };
  return method === "GET" ? undefined : { status: 405, why: "The dashboard changes nothing." };
}

function isToken(given: string, token: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}

function answer(response: ServerResponse, status: number, { type, text }: Page): void {
  response.writeHead(status, { ...HEADERS, "Content-Type": `${type}; charset=utf-8` });
  response.end(text);
}

/** Answers 500 if a view fails, which is a bug; other views still work. Omits the error's message, which may quote text of others. */
function answerPage(response: ServerResponse, render: () => Page | undefined): void {
  try {
    const page = render();
    if (page === undefined) answer(response, 404, { type: "text/html", text: "No such page." });
    else answer(response, 200, page);
  } catch (error) {
    const name = error instanceof Error ? error.name : typeof error;
    answer(response, 500, { type: "text/html", text: `The view failed (${name}), which is a bug; please report it.` });
  }
}

function listen(listeners: Set<ServerResponse>, response: ServerResponse): void {
  if (listeners.size >= MOST_LISTENERS) return answer(response, 503, { type: "text/html", text: "Too many pages are open." });
  listeners.add(response);
  response.once("close", () => listeners.delete(response));
  response.writeHead(200, { ...HEADERS, "Content-Type": "text/event-stream" });
  response.write("retry: 1000\n\n");
}

/** Writes to every page. A page that is behind with reading misses the notice; nothing is buffered, because all notices are equal. */
function report(listeners: ReadonlySet<ServerResponse>, text: string): void {
  for (const listener of listeners) if (!listener.writableNeedDrain) listener.write(text);
}

/** Acts immediately. Answers all requests within the next NOTICE_MS with one more action. */
function throttled(act: () => void): { readonly ask: () => void; readonly stop: () => void } {
  let timer: NodeJS.Timeout | undefined;
  let isAsked = false;
  const ask = (): void => {
    if (timer !== undefined) {
      isAsked = true;
      return;
    }
    timer = setTimeout(() => {
      timer = undefined;
      if (isAsked) ask();
    }, NOTICE_MS);
    isAsked = false;
    act();
  };
  return { ask, stop: () => clearTimeout(timer) };
}

async function listening(server: Server, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(port, HOST, resolve);
  try {
    await promise;
  } catch (error) {
    const { code } = error as { code?: unknown }; // Only converted to a string.
    throw new CommandFailure(`--port: cannot listen on ${HOST}:${port} (${String(code)}); omit --port to use a free port`, {
      cause: error,
    });
  }
}
