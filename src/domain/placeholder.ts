/** `${CLIENT_ID}`, which a tool should have replaced. */
const VARIABLE = String.raw`\$\{[A-Za-z_][A-Za-z0-9_]{0,59}\}`;

/** `<key-vault-name>` or `<KEY_VAULT_1>`, as pages and examples have it. */
const NAME = String.raw`<[A-Za-z][A-Za-z0-9_ -]{0,59}>|${VARIABLE}`;

/** Words alone: a client secret may stand in brackets, and have digits. */
const WORDS = String.raw`<[A-Za-z][A-Za-z -]{0,59}>|${VARIABLE}`;

const ANYWHERE = new RegExp(NAME, "g");
const WHOLE = whole(NAME);
const WHOLE_SECRET = whole(WORDS);

function whole(pattern: string): RegExp {
  return new RegExp(String.raw`^\s*(?:${pattern})\s*$`);
}

/** With white space around it or none: nobody filled it in. Only of characters that messages may have as they are. */
export function isPlaceholder(value: string): boolean {
  return WHOLE.test(value);
}

/** The same of a client secret. */
export function isSecretPlaceholder(value: string): boolean {
  return WHOLE_SECRET.test(value);
}

/** What to say of it, after "write the name": " in place of <name>"; nothing of another value. */
export function inPlaceOf(value: string): string {
  return isPlaceholder(value) ? ` in place of ${value.trim()}` : "";
}

/** Each that stands somewhere in a text, once: of an address, its account. */
export function placeholdersIn(text: string): readonly string[] {
  return [...new Set(text.match(ANYWHERE))];
}
