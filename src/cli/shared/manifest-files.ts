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
  /** As messages call it. */
  readonly name: string;
  readonly read: () => Promise<string>;
}

/** Everything that -f and -k name, and what stands beside them as if it stood behind -f. Empty where nothing is named. */
export async function manifestSources(
  { options, arguments: words }: CommandInput,
  { read, filesIn, kustomize }: ManifestInputs,
): Promise<readonly ManifestSource[]> {
  // As kubectl takes them: several behind one -f stand between commas.
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

/** Of each source, in bytes: larger than any manifest that people write, small enough to hold several of. */
const LARGEST_FILE = 64 * 1024 * 1024;
/** Characters of all documents as they are printed, aliases written out: half of what a text of the engine can hold. */
const MOST_CHARACTERS = 256 * 1024 * 1024;

/** Reads every source in turn. No object in any of them is a failure: somebody meant to name some. */
export async function readFiles(sources: readonly ManifestSource[]): Promise<ManifestFiles> {
  const documents: ManifestDocument[] = [];
  const problems: ManifestProblem[] = [];
  const warnings: ManifestProblem[] = [];
  let characters = 0;
  for (const { name: file, read } of sources) {
    const manifests = readManifests(file, await read());
    // One by one: a file may have more documents than a call can have arguments.
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

/** What the command line names, for a command that takes nothing else. */
export async function readNamedFiles(input: CommandInput, inputs: ManifestInputs): Promise<ManifestFiles> {
  const sources = await manifestSources(input, inputs);
  if (sources.length === 0) throw new CommandFailure("no manifests are named; write -f FILE, -f - for standard input, or -k DIR");
  return readFiles(sources);
}

/** One thing that is wrong, or that is told, about an object of the files. */
export interface Finding {
  readonly severity: "error" | "warning";
  readonly place: DocumentPlace;
  /** `Deployment/web`; undefined where the document is no object. */
  readonly object?: string;
  /** One word of a closed set, where there is one. */
  readonly reason?: string | undefined;
  readonly message: string;
}

/** A finding on a field of an object. */
export function findingOn(
  item: ManifestItem,
  path: readonly (string | number)[],
  { severity, reason, message }: Pick<Finding, "severity" | "reason" | "message">,
): Finding {
  return { severity, place: item.placeOf(path), object: `${item.kind}/${item.name}`, reason, message };
}

/** What is wrong with the text of the files, whatever their objects are. */
export function fileFindings({ problems, warnings }: Pick<ManifestFiles, "problems" | "warnings">): readonly Finding[] {
  return [
    ...problems.map((problem): Finding => ({ ...problem, severity: "error" })),
    ...warnings.map((warning): Finding => ({ ...warning, severity: "warning" })),
  ];
}

/** `web.yaml:12: Deployment/web: error: … (VolumeNameTaken)` */
export function showFinding({ severity, place, object, reason, message }: Finding): string {
  const start = [showPlace(place), object, severity].filter((part) => part !== undefined).join(": ");
  return `${start}: ${message.replaceAll(/\s+/g, " ")}${reason === undefined ? "" : ` (${reason})`}`;
}

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

/** `http://` and `https://` alone, as kubectl's -f. */
function isUrl(name: string): boolean {
  return /^https?:\/\//i.test(name) && URL.canParse(name);
}

function tooLarge(file: string): never {
  throw new CommandFailure(`${file} is larger than 64 MiB; split it into several files`);
}

/** Whoever names it may mean a pipe, too; of what has no end no more is read than a file may have. */
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

/** Nobody has named it: whoever may write the folder is not to have other files printed, nor what never ends read. */
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

/** The bytes of a stream, of which no more is read than a file may have. */
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
