/** What a value takes in memory, by what it is as JSON. */

/** Bytes that a value, list or mapping takes beside its characters, at most about so many. */
export const BYTES_OF_A_PART = 64;

/** One character that is not Latin-1 makes a text take two bytes for each. */
export function bytesOfText(text: string): number {
  return /[\u0100-\uffff]/.test(text) ? 2 * text.length : text.length;
}

/** What a value takes in memory, at most about (bytes). `parts`: its {@link countParts}, where that is known. */
export function bytesInMemory(value: unknown, parts: number = countParts(value, Number.POSITIVE_INFINITY)): number {
  return bytesOfText(JSON.stringify(value)) + parts * BYTES_OF_A_PART;
}

/** Values, lists and mappings, all levels together. Counts no further than just above `most`. */
export function countParts(value: unknown, most: number): number {
  if (typeof value !== "object" || value === null) return 1;
  let parts = 1;
  for (const inner of Object.values(value)) {
    parts += countParts(inner, most - parts);
    if (parts > most) break;
  }
  return parts;
}

/** Whether a value as JSON has more than so many characters, not counting what escapes would add. Reads no further than that. */
export function isLongerThan(value: unknown, most: number): boolean {
  return leftAfter(value, most) < 0;
}

/** Of `left` characters, those that the value as JSON leaves, at most. */
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
