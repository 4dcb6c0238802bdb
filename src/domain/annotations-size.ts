/**
 * Maximum size in bytes of all annotation keys and values of an object together. The API server stores no object with more. Webhooks
 * receive objects before the API server checks this limit, and untrusted users can send annotations of any size.
 */
const MOST_BYTES = 262_144;

/** Explains why the annotations are too large to read; undefined if they are not. */
export function annotationsSizeProblem(annotations: Readonly<Record<string, string>>): string | undefined {
  let characters = 0;
  for (const [key, value] of Object.entries(annotations)) {
    characters += key.length + value.length;
    if (characters > MOST_BYTES) return `must have at most ${MOST_BYTES} bytes in total, which is the most that the API server stores`;
  }
  return undefined;
}
