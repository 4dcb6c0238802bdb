/**
 * Maximum size in bytes of all annotation keys and values of an object together, in UTF-8. The API server stores no object with more.
 * Webhooks receive objects before the API server checks this limit, and untrusted users can send annotations of any size.
 */
export const MOST_ANNOTATION_BYTES = 262_144;

/** Most bytes in UTF-8 of one unit of a string. Two units of one character have four bytes together. */
const MOST_BYTES_OF_UNIT = 3;

/** Explains why the annotations are too large to read; undefined if they are not. */
export function annotationsSizeProblem(annotations: Readonly<Record<string, string>>): string | undefined {
  if (annotationsFit(annotations)) return undefined;
  return `must have at most ${MOST_ANNOTATION_BYTES} bytes in total, which is the most that the API server stores`;
}

/** Whether the API server stores so many annotations. Encodes them only if their number of units does not decide. */
export function annotationsFit(annotations: Readonly<Record<string, string>>): boolean {
  let units = 0;
  for (const [key, value] of Object.entries(annotations)) {
    units += key.length + value.length;
    if (units > MOST_ANNOTATION_BYTES) return false;
  }
  if (units * MOST_BYTES_OF_UNIT <= MOST_ANNOTATION_BYTES) return true;
  const encoder = new TextEncoder();
  let bytes = 0;
  for (const text of Object.entries(annotations).flat()) bytes += encoder.encode(text).length;
  return bytes <= MOST_ANNOTATION_BYTES;
}
