/** Enough to recognise a value by; a message that repeats a whole annotation helps nobody. */
export const SHOWN_LENGTH = 60;

/**
 * What a terminal shows as nothing, or obeys: control and format characters, and every space but the common one. JSON escapes only the
 * first 32. The API server drops a warning that holds a control character.
 */
export const UNSEEN = String.raw`[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|[^ \P{Zs}]`;
const EACH_UNSEEN = new RegExp(UNSEEN, "gu");

/** Somebody else's text for a message: in quotes, cut to 60 characters, what cannot be seen escaped. */
export function quoted(text: string, length: number = SHOWN_LENGTH): string {
  return JSON.stringify(text.length > length ? `${text.slice(0, length - 3)}...` : text).replaceAll(EACH_UNSEEN, asJsonEscapes);
}

/** A path likewise, but with the backslashes of Windows as the author wrote them. */
export function quotedPath(path: string, length: number = SHOWN_LENGTH): string {
  return quoted(path, length).replaceAll(String.raw`\\`, "\\");
}

/** In a text of JSON. */
export function asJsonEscapes(character: string): string {
  return Array.from({ length: character.length }, (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`).join("");
}
