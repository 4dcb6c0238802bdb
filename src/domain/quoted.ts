/** Enough to recognize a value. A message with a whole annotation helps no one. */
export const SHOWN_LENGTH = 60;

/**
 * Characters that a terminal does not show, or obeys: control and format characters, and every space but U+0020. JSON escapes only the
 * first 32 characters. The API server drops a warning that contains a control character.
 */
export const UNSEEN = String.raw`[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|[^ \P{Zs}]`;
const EACH_UNSEEN = new RegExp(UNSEEN, "gu");

/** Quotes untrusted text for a message: cuts it to 60 characters, and escapes invisible characters. */
export function quoted(text: string, length: number = SHOWN_LENGTH): string {
  return JSON.stringify(text.length > length ? `${text.slice(0, length - 3)}...` : text).replaceAll(EACH_UNSEEN, asJsonEscapes);
}

/** Same for a path, but keeps the backslashes of Windows as the author wrote them. */
export function quotedPath(path: string, length: number = SHOWN_LENGTH): string {
  return quoted(path, length).replaceAll(String.raw`\\`, "\\");
}

/** Returns the JSON escapes of a character. */
export function asJsonEscapes(character: string): string {
  return Array.from({ length: character.length }, (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`).join("");
}
