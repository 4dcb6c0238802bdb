import { execFile } from "node:child_process";
import { createReadStream, type Dirent } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { type IncomingMessage, get as plainGet } from "node:http";
import { get as tlsGet } from "node:https";
import path from "node:path";
import type { OutboundProxy } from "../../runtime/outbound-proxy.ts";
import {
  type DocumentPlace,
  type ManifestDocument,
  type ManifestProblem,
  readManifests,
  shownFile,
  showPlace,
} from "../manifest/documents.ts";
import type { ManifestItem } from "../manifest/items.ts";
import { decodeFile } from "../manifest/read-text.ts";
import { CommandFailure, type CommandInput, type ManifestInputs } from "./command.ts";

export interface ManifestSource {
  /** Name for messages. */
  readonly name: string;
  readonly read: () => Promise<string>;
}

/** Returns everything that -f, -k, and the arguments name. An argument counts as -f. Empty if nothing is named. */
export async function manifestSources(
  { options, arguments: words }: CommandInput,
  { read, filesIn, kustomize }: ManifestInputs,
): Promise<readonly ManifestSource[]> {
  // As in kubectl, one -f can name several files, separated by commas.
  const names = [...words, ...(options.filename ?? []).flatMap((value) => value.split(",").filter((name) => name !== ""))];
  if (names.filter((name) => name === "-").length > 1)
    throw new CommandFailure("-f - is given twice; standard input can be read only once");
  const sources: ManifestSource[] = [];
  for (const name of names) {
    const files = name === "-" ? undefined : await filesIn(name, options.recursive !== undefined);
    if (files?.length === 0) {
      throw new CommandFailure(
        `${name} has no file that ends in .yaml, .yml or .json; add -R to include its folders, or use -k for a kustomization`,
      );
    }
    for (const file of files ?? [name]) sources.push({ name: file, read: () => read(file) });
  }
  const folders = options.kustomize ?? [];
  return [...sources, ...folders.map((folder) => ({ name: `kustomize ${folder}`, read: () => kustomize(folder) }))];
}

export interface ManifestFiles {
  readonly documents: readonly ManifestDocument[];
  readonly problems: readonly ManifestProblem[];
  readonly warnings: readonly ManifestProblem[];
}

/** Maximum size of each source, in bytes: larger than any manifest that people write, and small enough to hold several in memory. */
const LARGEST_FILE = 64 * 1024 * 1024;
/** Maximum number of characters of all documents as they are printed, aliases written out: half of what a string of the engine can hold. */
const MOST_CHARACTERS = 256 * 1024 * 1024;

/** Reads every source in turn. Fails if no source contains an object, because the user meant to name some. */
export async function readFiles(sources: readonly ManifestSource[]): Promise<ManifestFiles> {
  const documents: ManifestDocument[] = [];
  const problems: ManifestProblem[] = [];
  const warnings: ManifestProblem[] = [];
  let characters = 0;
  for (const { name: file, read } of sources) {
    const manifests = readManifests(file, await read());
    // Adds them one by one, because a file may have more documents than a call can have arguments.
    for (const document of manifests.documents) {
      documents.push(document);
      characters += document.characters;
    }
    for (const problem of manifests.problems) problems.push(problem);
    for (const warning of manifests.warnings) warnings.push(warning);
    if (characters > MOST_CHARACTERS)
      throw new CommandFailure(`${file} would take more than 256 MiB to print; split it, or use fewer aliases`);
  }
  if (documents.length === 0 && problems.length === 0)
    throw new CommandFailure(`no objects in ${sources.map(({ name }) => shownFile(name)).join(", ")}`);
  return { documents, problems, warnings };
}

/** Reads the files that the command line names, for a command that takes nothing else. */
export async function readNamedFiles(input: CommandInput, inputs: ManifestInputs): Promise<ManifestFiles> {
  const sources = await manifestSources(input, inputs);
  if (sources.length === 0) throw new CommandFailure("no manifests are named; write -f FILE, -f - for standard input, or -k DIR");
  return readFiles(sources);
}

/** One problem, or one remark, about an object in the files. */
export interface Finding {
  readonly severity: "error" | "warning";
  readonly place: DocumentPlace;
  /** Object, such as `Deployment/web`; undefined if the document is not an object. */
  readonly object?: string;
  /** One word of a closed set, if there is one. */
  readonly reason?: string | undefined;
  readonly message: string;
}

/** Returns a finding on a field of an object. */
export function findingOn(
  item: ManifestItem,
  path: readonly (string | number)[],
  { severity, reason, message }: Pick<Finding, "severity" | "reason" | "message">,
): Finding {
  return { severity, place: item.placeOf(path), object: `${item.kind}/${item.name}`, reason, message };
}

/** Returns the problems with the text of the files, whatever their objects are. */
export function fileFindings({ problems, warnings }: Pick<ManifestFiles, "problems" | "warnings">): readonly Finding[] {
  return [
    ...problems.map((problem): Finding => ({ ...problem, severity: "error" })),
    ...warnings.map((warning): Finding => ({ ...warning, severity: "warning" })),
  ];
}

/** Returns `web.yaml:12: Deployment/web: error: … (VolumeNameTaken)`. */
export function showFinding({ severity, place, object, reason, message }: Finding): string {
  const start = [showPlace(place), object, severity].filter((part) => part !== undefined).join(": ");
  return `${start}: ${message.replaceAll(/\s+/g, " ")}${reason === undefined ? "" : ` (${reason})`}`;
}

/** Time limit in milliseconds: a kustomization may fetch others from the network. */
const KUSTOMIZE_MS = 120_000;

export interface InputsOptions {
  /** Called only to read an address. */
  readonly proxy: () => OutboundProxy | undefined;
  readonly signal: AbortSignal;
}

/** Creates access to files, folders, addresses, standard input, and kubectl's own kustomize. */
export function createInputs({ proxy, signal }: InputsOptions): ManifestInputs {
  return {
    read: async (name) => {
      if (name === "-") return decodeFile(await wholeOf(process.stdin, () => tooLarge("-")));
      return isUrl(name) ? readUrl(new URL(name), proxy(), signal) : readNamed(name);
    },
    filesIn: async (name, isRecursive) => {
      const found = isUrl(name) ? undefined : await stat(name).catch(() => undefined);
      return found?.isDirectory() === true ? filesIn(name, isRecursive) : undefined;
    },
    kustomize: (folder) => kustomize(folder, signal),
  };
}

/** Whether the name is an `http://` or `https://` address, which kubectl's -f accepts, too. */
function isUrl(name: string): boolean {
  return /^https?:\/\//i.test(name) && URL.canParse(name);
}

function tooLarge(file: string): never {
  throw new CommandFailure(`${file} is larger than 64 MiB; split it into several files`);
}

/** Reads a file that the user names, which may be a pipe. Of an endless source, reads no more than the maximum size of a file. */
async function readNamed(file: string): Promise<string> {
  try {
    return decodeFile(await wholeOf(createReadStream(file), () => tooLarge(file)));
  } catch (error) {
    if (error instanceof CommandFailure) throw error;
    const { code } = error as { code?: unknown }; // Node's own errors have a string here.
    throw new CommandFailure(`${file} cannot be read (${String(code)}); name a file, or - for standard input`, { cause: error });
  }
}

const EXTENSIONS = [".json", ".yaml", ".yml"];

async function filesIn(folder: string, isRecursive: boolean): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: isRecursive });
  const files = entries.filter((entry) => !entry.isDirectory() && EXTENSIONS.includes(path.extname(entry.name)));
  const pathOf = ({ parentPath, name }: Dirent): string => path.join(parentPath, name);
  const root = await realpath(folder);
  for (const other of files.filter((entry) => !entry.isFile())) await assertOfFolder(pathOf(other), root);
  return files.map(pathOf).sort();
}

/**
 * Rejects links to files outside of the folder, and special files. The user did not name them: someone who can write to the folder must not
 * make the command print other files, or read without end.
 */
async function assertOfFolder(file: string, root: string): Promise<void> {
  const target = await realpath(file).catch(() => undefined);
  if (target === undefined) return;
  if (path.relative(root, target).split(path.sep)[0] === "..")
    throw new CommandFailure(`${file} is a link to a file outside of its folder; name that file with -f if you mean it`);
  const found = await stat(target).catch(() => undefined);
  if (found !== undefined && !found.isFile()) throw new CommandFailure(`${file} is not a regular file; remove it from the folder`);
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
  if (code === "ENOENT") return `-k ${folder}: kubectl, which builds kustomizations, is not on PATH; install it, or pipe the build to -f -`;
  if (code === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER") return `-k ${folder}: its output is larger than 64 MiB; split it`;
  if (killed === true) return `-k ${folder}: kubectl kustomize did not finish within ${KUSTOMIZE_MS / 1_000} s`;
  return `-k ${folder}: kubectl kustomize fails: ${stderr
    .replaceAll(/\s+/g, " ")
    .replace(/^error: /, "")
    .trim()}`;
}

/** Time limit for the whole download, redirects included, in milliseconds. */
const TIMEOUT_MS = 30_000;
const MOST_REDIRECTS = 5;

/** Returns the text behind an address. Throws a {@link CommandFailure} that names the address, without its user and password. */
async function readUrl(address: URL, proxy: OutboundProxy | undefined, signal: AbortSignal): Promise<string> {
  const bound = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  let url = address;
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects += 1) {
    const answer = await ask(url, proxy, bound).catch((error: unknown) => notRead(url, reasonOf(error)));
    const { statusCode = 0, headers } = answer;
    if (statusCode === 200) return readBody(answer, url);
    answer.destroy();
    if (statusCode < 300 || statusCode > 399 || headers.location === undefined) return notRead(url, `HTTP ${statusCode}`);
    const next = URL.parse(headers.location, url.href);
    if (next === null || !["http:", "https:"].includes(next.protocol)) return notRead(url, "it redirects to no address of http or https");
    if (url.protocol === "https:" && next.protocol !== "https:") return notRead(url, "it redirects to an address without TLS");
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

async function readBody(answer: IncomingMessage, url: URL): Promise<string> {
  const body = wholeOf(answer, () => notRead(url, "more than 64 MiB"));
  return decodeFile(await body.catch((error: unknown) => notRead(url, reasonOf(error))));
}

/** Returns the bytes of a stream. Reads no more than the maximum size of a file. */
async function wholeOf(stream: AsyncIterable<Buffer>, tooMany: () => never): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes > LARGEST_FILE) tooMany();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function notRead(url: URL, why: string): never {
  throw new CommandFailure(`${url.origin}${url.pathname} cannot be read (${why}); check the address, the network, and HTTPS_PROXY`);
}

function reasonOf(error: unknown): string {
  if (error instanceof CommandFailure) throw error;
  const { name, code } = error as { name?: unknown; code?: unknown }; // Node's own errors have strings here.
  if (name === "TimeoutError" || code === "ABORT_ERR") return "no answer in time";
  return typeof code === "string" ? code : String(name);
}
