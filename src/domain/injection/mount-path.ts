import { failed, ok, type Result } from "../result.ts";

/** Linux takes no longer path. */
const LONGEST_PATH = 4096;
const ADVICE = 'write an absolute path such as "/mnt/secrets-store"';

/** Reads what a person may write as a mount path, into its one normal form. */
export function readMountPath(text: string): Result<string, string> {
  if (!text.startsWith("/")) return failed(ADVICE);
  if (text.length > LONGEST_PATH) return failed(`it is longer than ${LONGEST_PATH} characters, ${ADVICE}`);
  if (text.includes(":") || hasControlCharacter(text)) return failed(`a mount path has no ":" and no control characters, ${ADVICE}`);
  if (text.split("/").includes("..")) return failed(`a mount path has no "..", ${ADVICE}`);
  const path = normalPath(text);
  return path === "/" ? failed(`a mount at the root would hide the container's own files, ${ADVICE}`) : ok(path);
}

/** Without doubled and trailing slashes and `.` parts: two paths that name one place are then equal. */
export function normalPath(path: string): string {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  return `${path.startsWith("/") ? "/" : ""}${parts.join("/")}`;
}

export function isSameOrInside(path: string, parent: string): boolean {
  return path === parent || path.startsWith(`${parent}/`);
}

function hasControlCharacter(text: string): boolean {
  return Array.from(text).some((char) => char < " " || char === "\u007f");
}
