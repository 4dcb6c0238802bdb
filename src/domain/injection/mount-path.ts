import { failed, ok, type Result } from "../result.ts";
import { fill, PROBLEMS } from "./messages.ts";

/** The pod's operating system decides what a path is. */
export type OperatingSystem = "linux" | "windows";

/** The longest that the system takes. */
const LONGEST = { linux: 4096, windows: 260 } as const;
const EXAMPLES = { linux: '"/mnt/secrets-store"', windows: '"C:\\secrets-store"' } as const;

/** Whatever of these is mounted over, or into, the runtime's own mounts there fail or the container has no system left. */
const SYSTEM_TREES = ["/proc", "/sys"];
/** Kubelet and runtime mount files into these. */
const SYSTEM_FOLDERS = ["/dev", "/etc"];

const DRIVE = /^[a-zA-Z]:/;

/** Reads what a person may write as a mount path, into its one normal form. */
export function readMountPath(text: string, system: OperatingSystem): Result<string, string> {
  return system === "windows" ? readWindowsPath(text) : readLinuxPath(text);
}

function readLinuxPath(text: string): Result<string, string> {
  const example = EXAMPLES.linux;
  if (DRIVE.test(text)) return failed(fill(PROBLEMS.pathOfWindows, { example }));
  if (!text.startsWith("/")) return failed(fill(PROBLEMS.path, { example }));
  if (text.length > LONGEST.linux) return failed(fill(PROBLEMS.pathLength, { most: String(LONGEST.linux), example }));
  if (text.includes(":") || hasControlCharacter(text)) return failed(fill(PROBLEMS.pathCharacters, { example }));
  if (text.split("/").includes("..")) return failed(fill(PROBLEMS.pathUp, { example }));
  const path = `/${partsOf(text, "/").join("/")}`;
  if (path === "/") return failed(fill(PROBLEMS.pathRoot, { example }));
  const isSystem = SYSTEM_FOLDERS.includes(path) || SYSTEM_TREES.some((tree) => isSameOrInside(path, tree));
  return isSystem ? failed(fill(PROBLEMS.pathSystem, { path: JSON.stringify(path), example })) : ok(path);
}

/** `C:\dir`, `C:/dir`, and without a drive `\dir` or `/dir`, before which the kubelet puts `c:`. */
function readWindowsPath(text: string): Result<string, string> {
  const example = EXAMPLES.windows;
  const drive = DRIVE.exec(text)?.[0] ?? "";
  const path = text.slice(drive.length);
  if (!/^[/\\]/.test(path) || /^[/\\]{2}/.test(text)) return failed(fill(PROBLEMS.path, { example }));
  if (text.length > LONGEST.windows) return failed(fill(PROBLEMS.pathLength, { most: String(LONGEST.windows), example }));
  if (/[<>:"|?*]/.test(path) || hasControlCharacter(path)) return failed(fill(PROBLEMS.pathCharactersWindows, { example }));
  const parts = partsOf(path, /[/\\]/);
  if (parts.includes("..")) return failed(fill(PROBLEMS.pathUp, { example }));
  if (parts.length === 0) return failed(fill(PROBLEMS.pathRoot, { example }));
  const separator = separatorOf(text);
  return ok(`${drive}${separator}${parts.join(separator)}`);
}

/** The place of one of several classes below a common path. */
export function pathBelow(path: string, name: string): string {
  return `${path}${separatorOf(path)}${name}`;
}

function separatorOf(path: string): "/" | "\\" {
  return path.startsWith("/") ? "/" : DRIVE.test(path) || path.startsWith("\\") ? "\\" : "/";
}

/** What two paths have in common that lead to one place: as kubelet and runtime read them. Only for comparisons. */
export function placeOf(path: string, system: OperatingSystem): string {
  if (system === "linux") return `/${upResolved(partsOf(path, "/")).join("/")}`;
  const folded = path.toLowerCase();
  const drive = DRIVE.exec(folded)?.[0] ?? "c:";
  return `${drive}/${upResolved(partsOf(folded.replace(DRIVE, ""), /[/\\]/)).join("/")}`;
}

function upResolved(parts: readonly string[]): readonly string[] {
  if (!parts.includes("..")) return parts;
  const kept: string[] = [];
  for (const part of parts) {
    if (part === "..") kept.pop();
    else kept.push(part);
  }
  return kept;
}

function partsOf(path: string, separator: string | RegExp): readonly string[] {
  return path.split(separator).filter((part) => part !== "" && part !== ".");
}

/** Both as {@link placeOf} gives them. */
export function isSameOrInside(path: string, parent: string): boolean {
  return path === parent || path.startsWith(parent.endsWith("/") ? parent : `${parent}/`);
}

function hasControlCharacter(text: string): boolean {
  return Array.from(text).some((char) => char < " " || char === "\u007f");
}
