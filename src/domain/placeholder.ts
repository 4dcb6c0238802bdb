/** `<key-vault-name>` or `<KEY_VAULT_1>`, as in pages and examples. */
const NAME = "<[A-Za-z][A-Za-z0-9_ -]{0,59}>";

/** Only words, without digits: a real client secret could be in brackets and contain digits. */
const WORDS = "<[A-Za-z][A-Za-z -]{0,59}>";

/** `${CLIENT_ID}`, `$(CLIENT_ID)` or `#{CLIENT_ID}#`, which a tool should have replaced. */
const BRACED = String.raw`\$\{[A-Za-z_][A-Za-z0-9_]{0,59}\}|\$\([A-Za-z_][A-Za-z0-9_.]{0,59}\)|#\{[A-Za-z_][A-Za-z0-9_. -]{0,59}\}#?`;

/** `$CLIENT_ID` or `__CLIENT_ID__`, likewise. */
const BARE = String.raw`\$[A-Za-z_][A-Za-z0-9_]{0,59}|__[A-Za-z][A-Za-z0-9_]{0,56}?__`;

/** `%CLIENT_ID%` or `YOUR-CLIENT-ID`. Inside a text, it could be percent-encoding, or a part of a name. */
const ALONE = String.raw`%[A-Za-z_][A-Za-z0-9_]{0,59}%|YOUR[-_ ][A-Z][A-Z0-9_ -]{0,59}`;

/** The same forms with capitals only: a real client secret could have such a form with digits or small letters. */
const CAPITALS = String.raw`\$[A-Z][A-Z_]{0,59}|__[A-Z][A-Z_]{0,56}?__|%[A-Z][A-Z_]{0,59}%|YOUR[-_ ][A-Z][A-Z_ -]{0,59}`;

const ANYWHERE = new RegExp([NAME, BRACED, BARE].join("|"), "g");
const WHOLE = whole([NAME, BRACED, BARE, ALONE]);
const WHOLE_SECRET = whole([WORDS, BRACED, CAPITALS]);

function whole(patterns: readonly string[]): RegExp {
  return new RegExp(String.raw`^\s*(?:${patterns.join("|")})\s*$`);
}

/**
 * Whether the value is only a placeholder, with or without whitespace around it. A placeholder has only characters that are safe in
 * messages.
 */
export function isPlaceholder(value: string): boolean {
  return WHOLE.test(value);
}

/** Whether a client secret is only a placeholder. */
export function isSecretPlaceholder(value: string): boolean {
  return WHOLE_SECRET.test(value);
}

/** Returns the text to append to "write the name": " in place of <name>". Empty if the value is not a placeholder. */
export function inPlaceOf(value: string): string {
  return isPlaceholder(value) ? ` in place of ${value.trim()}` : "";
}

/** Returns each placeholder in a text once, for example the account in an address. */
export function placeholdersIn(text: string): readonly string[] {
  return [...new Set(text.match(ANYWHERE))];
}
