/**
 * Of all keys and values of an object together, in bytes: the API server stores no object with more. Webhooks see what it has not checked yet,
 * and strangers send what they like.
 */
const MOST_BYTES = 262_144;

/** Why the annotations are read no further; undefined where they are not too large. */
export function annotationsSizeProblem(annotations: Readonly<Record<string, string>>): string | undefined {
  let characters = 0;
  for (const [key, value] of Object.entries(annotations)) {
    characters += key.length + value.length;
    if (characters > MOST_BYTES) return `must have at most ${MOST_BYTES} bytes in total, which is the most that the API server stores`;
  }
  return undefined;
}
