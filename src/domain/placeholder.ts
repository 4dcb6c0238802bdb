/** `<key-vault-name>`, as pages and examples have it, or `${CLIENT_ID}`, which a tool should have replaced. */
const WORDS = String.raw`<[A-Za-z][A-Za-z -]{0,59}>|\$\{[A-Za-z_][A-Za-z0-9_]{0,59}\}`;
const WHOLE = new RegExp(String.raw`^\s*(?:${WORDS})\s*$`);
const ANYWHERE = new RegExp(WORDS, "g");

/**
 * With white space around it or none: nobody filled it in. Words alone, so that a client secret that stands in brackets is none, and so that
 * messages may have it as it is.
 */
export function isPlaceholder(value: string): boolean {
  return WHOLE.test(value);
}

/** What to say of it, after "write the name": " in place of <name>"; nothing of another value. */
export function inPlaceOf(value: string): string {
  return isPlaceholder(value) ? ` in place of ${value.trim()}` : "";
}

/** Each that stands somewhere in a text, once: of an address, its account. */
export function placeholdersIn(text: string): readonly string[] {
  return [...new Set(text.match(ANYWHERE))];
}
