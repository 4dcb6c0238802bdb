import type { ClassObject } from "./object-rules.ts";

const OCTAL = /^[-+]?[0-7]+$/;
const MIN_INT32 = -(2 ** 31);
const MAX_INT32 = 2 ** 31 - 1;

/** Undefined where the text is no octal number of 32 bits; the provider says nothing and gives the file mode 0. */
function parsed(text: string): number | undefined {
  const value = OCTAL.test(text) ? Number.parseInt(text, 8) : Number.NaN;
  return value >= MIN_INT32 && value <= MAX_INT32 ? value : undefined;
}

export function hasReadablePermission({ filePermission }: ClassObject): boolean {
  return filePermission === "" || parsed(filePermission) !== undefined;
}

/** Mode of the object's file on a mount; `fallback` is the mount's own. */
export function fileMode({ filePermission }: ClassObject, fallback: number): number {
  return filePermission === "" ? fallback : (parsed(filePermission) ?? 0);
}
