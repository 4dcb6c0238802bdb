import { execFile } from "node:child_process";
import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { buffer } from "node:stream/consumers";
import type { OutboundProxy } from "../../runtime/outbound-proxy.ts";
import { CommandFailure } from "../command.ts";
import { decodeFile } from "./decode-file.ts";
import { LARGEST_FILE } from "./read-files.ts";
import type { ManifestInputs } from "./sources.ts";

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
      if (!isUrl(name)) return readNamed(name);
      const { readUrl } = await import("./read-url.ts");
      return readUrl(name, { proxy: proxy(), signal });
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
