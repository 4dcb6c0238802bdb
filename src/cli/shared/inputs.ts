import { execFile } from "node:child_process";
import { readdir, readFile, stat } from "node:fs/promises";
import { type IncomingMessage, get as plainGet } from "node:http";
import { get as tlsGet } from "node:https";
import path from "node:path";
import { buffer } from "node:stream/consumers";
import type { OutboundProxy } from "../../runtime/outbound-proxy.ts";
import { decodeFile } from "../manifest/decode-file.ts";
import { CommandFailure, type ManifestInputs } from "./command.ts";
import { LARGEST_FILE } from "./manifest-files.ts";

/** A kustomization may fetch others from the network (milliseconds). */
const KUSTOMIZE_MS = 120_000;

export interface InputsOptions {
  /** Asked where an address is to be read. */
  readonly proxy: () => OutboundProxy | undefined;
  readonly signal: AbortSignal;
}

/** Files, folders, addresses, standard input, and kubectl's own kustomize. */
export function createInputs({ proxy, signal }: InputsOptions): ManifestInputs {
  return {
    read: async (name) => {
      if (name === "-") return decodeFile(await buffer(process.stdin));
      return isUrl(name) ? readUrl(new URL(name), proxy(), signal) : readNamed(name);
    },
    filesIn: async (name, isRecursive) => {
      const found = isUrl(name) ? undefined : await stat(name).catch(() => undefined);
      return found?.isDirectory() === true ? filesIn(name, isRecursive) : undefined;
    },
    kustomize: (folder) => kustomize(folder, signal),
  };
}

/** `http://` and `https://` alone, as kubectl's -f. */
function isUrl(name: string): boolean {
  return /^https?:\/\//i.test(name) && URL.canParse(name);
}

async function readNamed(file: string): Promise<string> {
  try {
    return decodeFile(await readFile(file));
  } catch (error) {
    const { code } = error as { code?: unknown }; // Node's own errors have a string here.
    throw new CommandFailure(`${file} cannot be read (${String(code)}); name a file, or - for standard input`, { cause: error });
  }
}

const EXTENSIONS = [".json", ".yaml", ".yml"];

async function filesIn(folder: string, isRecursive: boolean): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: isRecursive });
  const files = entries.filter((entry) => !entry.isDirectory() && EXTENSIONS.includes(path.extname(entry.name)));
  return files.map(({ parentPath, name }) => path.join(parentPath, name)).sort();
}

function kustomize(folder: string, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const bounds = { signal, timeout: KUSTOMIZE_MS, maxBuffer: LARGEST_FILE };
    execFile("kubectl", ["kustomize", folder], bounds, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new CommandFailure(kustomizeFailure(folder, error, stderr), { cause: error }));
    });
  });
}

function kustomizeFailure(
  folder: string,
  { code, killed }: { readonly code?: unknown; readonly killed?: boolean },
  stderr: string,
): string {
  if (code === "ENOENT")
    return `-k ${folder}: there is no kubectl on PATH, which builds kustomizations; install it, or pipe the build to -f -`;
  if (code === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER") return `-k ${folder}: it gives more than 64 MiB; split it`;
  if (killed === true) return `-k ${folder}: kubectl kustomize was not done within ${KUSTOMIZE_MS / 1_000} s`;
  return `-k ${folder}: kubectl kustomize fails: ${stderr
    .replaceAll(/\s+/g, " ")
    .replace(/^error: /, "")
    .trim()}`;
}

/** Of the whole, redirects included (milliseconds). */
const TIMEOUT_MS = 30_000;
const MOST_REDIRECTS = 5;

/** The text behind an address. Throws a {@link CommandFailure} that names it, without a user and password in it. */
async function readUrl(address: URL, proxy: OutboundProxy | undefined, signal: AbortSignal): Promise<string> {
  const bound = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  let url = address;
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

async function ask(url: URL, proxy: OutboundProxy | undefined, signal: AbortSignal): Promise<IncomingMessage> {
  const isTls = url.protocol === "https:";
  const { HttpsProxyAgent } = await import("https-proxy-agent");
  const agent = isTls && proxy !== undefined && !proxy.isBypassed(url) ? { agent: new HttpsProxyAgent(proxy.url) } : {};
  return new Promise((resolve, reject) => {
    const get = isTls ? tlsGet : plainGet;
    get(url, { signal, headers: { accept: "*/*" }, ...agent }, resolve).once("error", reject);
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
