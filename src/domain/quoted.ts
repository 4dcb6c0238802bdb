/** Enough to recognise a value by; a message that repeats a whole annotation helps nobody. */
const SHOWN_LENGTH = 60;

/** Somebody else's text for a message: in quotes, cut to 60 characters, control characters escaped. */
export function quoted(text: string, length: number = SHOWN_LENGTH): string {
  return JSON.stringify(text.length > length ? `${text.slice(0, length - 3)}...` : text);
}
