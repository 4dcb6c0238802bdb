import { failed, ok, type Result } from "../result.ts";
import { fill, PROBLEMS } from "./messages.ts";

/** Operating system of the pod, which determines the syntax of paths. */
export type OperatingSystem = "linux" | "windows";

/** Returns an example path for messages. */
export function examplePath(system: OperatingSystem): string {
  return EXAMPLES[system];
}

/** The longest path that the system accepts. */
export const LONGEST = { linux: 4096, windows: 260 } as const;
const EXAMPLES = { linux: '"/mnt/secrets-store"', windows: '"C:\\secrets-store"' } as const;

/** Start of a Windows path. */
export const DRIVE = /^[a-zA-Z]:/;

/** Reads a mount path in any notation that users write, and returns its normal form. */
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
  return path === "/" ? failed(fill(PROBLEMS.pathRoot, { example })) : ok(path);
}

/** Reads `C:\dir`, `C:/dir`, and without a drive `\dir` or `/dir`, before which the kubelet puts `c:`. */
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

/** Returns the path of one of several classes below a common path. */
export function pathBelow(path: string, name: string): string {
  return `${path}${separatorOf(path)}${name}`;
}

function separatorOf(path: string): "/" | "\\" {
  return path.startsWith("/") ? "/" : DRIVE.test(path) || path.startsWith("\\") ? "\\" : "/";
}

/**
 * Returns a normal form that is the same for all paths to one place, as the kubelet and the runtime read them. Only for comparisons. In
 * most images, `/var/run` is a link to `/run`, so a path below it has two places, and the webhook cannot know which one applies.
 */
export function placesOf(path: string, system: OperatingSystem): readonly string[] {
  const place = placeOf(path, system);
  return system === "linux" && isSameOrInside(place, LINK.from) ? [place, `${LINK.to}${place.slice(LINK.from.length)}`] : [place];
}

export const LINK = { from: "/var/run", to: "/run" } as const;

function placeOf(path: string, system: OperatingSystem): string {
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

/**
 * Returns the rest of a path below another path that contains it, both from {@link placesOf}. Empty if they are the same, undefined if the
 * path is not inside.
 */
export function restBelow(places: readonly string[], parents: readonly string[]): string | undefined {
  let shortest: string | undefined;
  for (const place of places) {
    for (const parent of parents) {
      if (!isSameOrInside(place, parent)) continue;
      const rest = place.slice(parent.length).replace(/^\//, "");
      if (shortest === undefined || rest.length < shortest.length) shortest = rest;
    }
  }
  return shortest;
}

/** Returns the end of a path in its own spelling, with as many parts as `rest`. */
export function endOf(path: string, rest: string, system: OperatingSystem): string {
  const parts = partsOf(path, system === "windows" ? /[/\\]/ : "/");
  return parts.slice(-rest.split("/").length).join("/");
}

/** Both from {@link placesOf}. */
export function isSameOrInside(path: string, parent: string): boolean {
  if (!path.startsWith(parent)) return false;
  return path.length === parent.length || parent.endsWith("/") || path[parent.length] === "/";
}

function hasControlCharacter(text: string): boolean {
  return Array.from(text).some((char) => char < " " || char === "\u007f");
}
