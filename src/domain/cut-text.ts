/**
 * Returns the first characters of a text as a new string. The result of `slice` (from 13 characters on) and each part of a `split` keep the
 * whole original text in memory.
 */
export function cutText(text: string, characters: number): string {
  return text.length <= characters ? text : structuredClone(text.slice(0, characters));
}
