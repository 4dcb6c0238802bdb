import { readFileSync } from "node:fs";
import path from "node:path";

/** One member of a tar archive. Modes are permission bits. Owners are numbers, root by default. */
export type TarEntry = {
  /** Relative, without a leading or trailing slash. */
  readonly path: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
} & TarBody;

type TarBody =
  | { readonly kind: "file"; readonly content: Buffer | string }
  /** The writer reads `source` only when it writes the archive, so that large files are never all in memory. */
  | { readonly kind: "copy"; readonly source: string }
  | { readonly kind: "directory" }
  | { readonly kind: "symlink"; readonly target: string };

const BLOCK = 512;
const DEFAULT_MODE = { file: 0o644, copy: 0o644, directory: 0o755, symlink: 0o777 } as const;
const TYPE = { file: "0", copy: "0", directory: "5", symlink: "2" } as const;
const PAX_TYPE = "x";
/** Size of the header's fields for a name and for a link's target. Longer ones go into a preceding pax record. */
const NAME_BYTES = 100;

/** Yields the archive in chunks, including the end marker. All time stamps are the epoch, so that equal entries give equal bytes. */
export function* tarChunks(entries: readonly TarEntry[]): Generator<Buffer> {
  for (const entry of entries) yield* entryChunks(entry);
  yield Buffer.alloc(2 * BLOCK);
}

/** Sorts parents before children, independently of the caller's order, and adds missing folders. */
export function sortedEntries(entries: readonly TarEntry[]): TarEntry[] {
  const byPath = new Map<string, TarEntry>();
  for (const entry of entries) {
    for (let parent = path.posix.dirname(entry.path); parent !== "."; parent = path.posix.dirname(parent)) {
      if (!byPath.has(parent)) byPath.set(parent, { path: parent, kind: "directory" });
    }
    byPath.set(entry.path, entry);
  }
  return [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function* entryChunks(entry: TarEntry): Generator<Buffer> {
  const name = entry.kind === "directory" ? `${entry.path}/` : entry.path;
  const link = entry.kind === "symlink" ? entry.target : "";
  const records = `${paxRecord("path", name)}${paxRecord("linkpath", link)}`;
  if (records !== "") {
    yield header({ name: "pax", link: "", type: PAX_TYPE, mode: 0o644, uid: 0, gid: 0, size: Buffer.byteLength(records) });
    yield* padded(Buffer.from(records));
  }
  const content = contentOf(entry);
  const mode = entry.mode ?? DEFAULT_MODE[entry.kind];
  yield header({ name, link, type: TYPE[entry.kind], mode, uid: entry.uid ?? 0, gid: entry.gid ?? 0, size: content.length });
  yield* padded(content);
}

function contentOf(entry: TarEntry): Buffer {
  if (entry.kind === "copy") return readFileSync(entry.source);
  if (entry.kind === "file") return Buffer.from(entry.content);
  return Buffer.alloc(0);
}

function* padded(content: Buffer): Generator<Buffer> {
  if (content.length === 0) return;
  yield content;
  const rest = content.length % BLOCK;
  if (rest !== 0) yield Buffer.alloc(BLOCK - rest);
}

/** `<length> <key>=<value>\n`, where the length counts its own digits. */
function paxRecord(key: string, value: string): string {
  if (Buffer.byteLength(value) <= NAME_BYTES) return "";
  const rest = ` ${key}=${value}\n`;
  const bytes = Buffer.byteLength(rest);
  const digits = String(bytes + String(bytes).length).length;
  return `${bytes + digits}${rest}`;
}

interface Header {
  readonly name: string;
  readonly link: string;
  readonly type: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
}

/** POSIX ustar, field by field at its offset. */
function header(fields: Header): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.write(fields.name.slice(0, NAME_BYTES), 0, NAME_BYTES);
  writeOctal(block, fields.mode, 100, 8);
  writeOctal(block, fields.uid, 108, 8);
  writeOctal(block, fields.gid, 116, 8);
  writeOctal(block, fields.size, 124, 12);
  writeOctal(block, 0, 136, 12);
  block.fill(" ", 148, 156);
  block.write(fields.type, 156);
  block.write(fields.link.slice(0, NAME_BYTES), 157, NAME_BYTES);
  block.write("ustar\x0000", 257, "latin1");
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

function writeOctal(block: Buffer, value: number, offset: number, width: number): void {
  block.write(`${value.toString(8).padStart(width - 1, "0")}\0`, offset, "latin1");
}
