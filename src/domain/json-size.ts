/** Estimates the memory size of a value from its JSON form. */

/** Approximate maximum size in bytes of a value, list, or mapping without its characters. */
export const BYTES_OF_A_PART = 64;

/** Estimates the bytes of a text. If one character is not Latin-1, every character takes two bytes. */
export function bytesOfText(text: string): number {
  return /[\u0100-\uffff]/.test(text) ? 2 * text.length : text.length;
}

/** Returns the approximate maximum size of a value in memory, in bytes. `parts` is its {@link countParts}, if known. */
export function bytesInMemory(value: unknown, parts: number = countParts(value, Number.POSITIVE_INFINITY)): number {
  return bytesOfText(JSON.stringify(value)) + parts * BYTES_OF_A_PART;
}

/** Counts values, lists, and mappings of all levels together. Stops just above `most`. */
export function countParts(value: unknown, most: number): number {
  if (typeof value !== "object" || value === null) return 1;
  let parts = 1;
  for (const inner of Object.values(value)) {
    parts += countParts(inner, most - parts);
    if (parts > most) break;
  }
  return parts;
}

/** Whether the JSON of a value has more than `most` characters, without the characters that escapes add. Stops reading at the limit. */
export function isLongerThan(value: unknown, most: number): boolean {
  return leftAfter(value, most) < 0;
}

/** Returns an upper bound for the rest of `left` characters after the JSON of the value. */
function leftAfter(value: unknown, left: number): number {
  if (typeof value === "string") return left - value.length - 2;
  if (typeof value !== "object" || value === null) return left - 1;
  let rest = left - 2;
  if (Array.isArray(value)) {
    for (const item of value) if (rest >= 0) rest = leftAfter(item, rest);
    return rest;
  }
  for (const [key, inner] of Object.entries(value)) {
    if (rest < 0) break;
    rest = leftAfter(inner, rest - key.length - 3);
  }
  return rest;
}
