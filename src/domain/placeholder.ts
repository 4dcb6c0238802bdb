/** `${CLIENT_ID}`, which a tool should have replaced. */
const VARIABLE = String.raw`\$\{[A-Za-z_][A-Za-z0-9_]{0,59}\}`;

/** `<key-vault-name>` or `<KEY_VAULT_1>`, as in pages and examples. */
const NAME = String.raw`<[A-Za-z][A-Za-z0-9_ -]{0,59}>|${VARIABLE}`;

/** Only words, without digits: a real client secret could be in brackets and contain digits. */
const WORDS = String.raw`<[A-Za-z][A-Za-z -]{0,59}>|${VARIABLE}`;

const ANYWHERE = new RegExp(NAME, "g");
const WHOLE = whole(NAME);
const WHOLE_SECRET = whole(WORDS);

function whole(pattern: string): RegExp {
  return new RegExp(String.raw`^\s*(?:${pattern})\s*$`);
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
