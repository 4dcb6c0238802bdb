import { type ClientRequest, type IncomingMessage, get as plainGet } from "node:http";
import { get as tlsGet } from "node:https";
import { HttpsProxyAgent } from "https-proxy-agent";
import type { OutboundProxy } from "../../runtime/outbound-proxy.ts";
import { CommandFailure } from "../command.ts";
import { decodeFile } from "./decode-file.ts";
import { LARGEST_FILE } from "./read-files.ts";

/** Of the whole, redirects included (milliseconds). */
const TIMEOUT_MS = 30_000;
const MOST_REDIRECTS = 5;

export interface UrlOptions {
  readonly proxy: OutboundProxy | undefined;
  readonly signal: AbortSignal;
}

/** The text behind an address. Throws a {@link CommandFailure} that names it, without a user and password in it. */
export async function readUrl(name: string, { proxy, signal }: UrlOptions): Promise<string> {
  const bound = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  let url = new URL(name);
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects += 1) {
    const answer = await ask(url, proxy, bound).catch((error: unknown) => notRead(url, reasonOf(error)));
    const { statusCode = 0, headers } = answer;
    if (statusCode === 200) return decodeFile(await wholeBody(answer, url).catch((error: unknown) => notRead(url, reasonOf(error))));
    answer.destroy();
    if (statusCode < 300 || statusCode > 399 || headers.location === undefined) return notRead(url, `HTTP ${statusCode}`);
    const next = new URL(headers.location, url);
    if (url.protocol === "https:" && next.protocol !== "https:") return notRead(url, "it leads to an address without TLS");
    url = next;
  }
  return notRead(url, `more than ${MOST_REDIRECTS} redirects`);
}

function ask(url: URL, proxy: OutboundProxy | undefined, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const options = { signal, headers: { accept: "*/*" } };
    const isProxied = proxy !== undefined && !proxy.isBypassed(url);
    const request: ClientRequest =
      url.protocol === "https:"
        ? tlsGet(url, { ...options, ...(isProxied ? { agent: new HttpsProxyAgent(proxy.url) } : {}) }, resolve)
        : plainGet(url, options, resolve);
    request.once("error", reject);
  });
}

async function wholeBody(answer: IncomingMessage, url: URL): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > LARGEST_FILE) return notRead(url, "more than 64 MiB");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function notRead(url: URL, why: string): never {
  throw new CommandFailure(`${url.origin}${url.pathname} cannot be read (${why}); see the address, the network and HTTPS_PROXY`);
}

function reasonOf(error: unknown): string {
  if (error instanceof CommandFailure) throw error;
  const { name, code } = error as { name?: unknown; code?: unknown }; // Node's own errors have strings here.
  if (name === "TimeoutError" || code === "ABORT_ERR") return "no answer in time";
  return typeof code === "string" ? code : String(name);
}
