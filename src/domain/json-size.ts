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
