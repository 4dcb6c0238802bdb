/**
 * The first characters of a text, as a text of their own. What `slice` returns keeps all of the text in memory (from 13 characters on), and so
 * does each word of a `split`.
 */
export function cutText(text: string, characters: number): string {
  return text.length <= characters ? text : structuredClone(text.slice(0, characters));
}
