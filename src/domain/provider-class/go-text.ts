/**
 * Reads and prints text like Go's standard library. The provider and the driver are Go programs, and classes and scripts rely on how they
 * trim, parse, and quote.
 */

const GO_SPACE = /[\t\n\v\f\r\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

/** Same as `strings.TrimSpace`. Unlike `String.trim`, it removes U+0085 and keeps U+FEFF. */
export function trimSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && GO_SPACE.test(text.charAt(start))) start += 1;
  while (end > start && GO_SPACE.test(text.charAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function upperCharacter(character: string): string {
  const upper = character.toUpperCase();
  return Array.from(upper).length === 1 ? upper : character;
}

/** Same as `strings.ToUpper`. One character never becomes two, so "ß" stays unchanged. */
export function goUpper(text: string): string {
  // The worker reads the parameters of thousands of classes in a row, and hardly any text has other characters.
  return /^[ -~]*$/.test(text) ? text.toUpperCase() : Array.from(text, upperCharacter).join("");
}

const TRUE = new Set(["1", "t", "T", "TRUE", "true", "True"]);
const FALSE = new Set(["0", "f", "F", "FALSE", "false", "False"]);

/** Same as `strconv.ParseBool`. Returns undefined if Go reports a syntax error. */
export function parseGoBool(text: string): boolean | undefined {
  if (TRUE.has(text)) return true;
  return FALSE.has(text) ? false : undefined;
}

const NAMED_ESCAPES = new Map([
  ["\u0007", "\\a"],
  ["\b", "\\b"],
  ["\f", "\\f"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
  ["\v", "\\v"],
  ["\\", "\\\\"],
  ['"', '\\"'],
]);

const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

function quoteCharacter(character: string): string {
  const named = NAMED_ESCAPES.get(character);
  if (named !== undefined) return named;
  if (PRINTABLE.test(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, "0")}`;
  return code < 0x1_0000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`;
}

/** Same as `strconv.Quote`, which is how the verb `%q` prints a string. */
export function goQuote(text: string): string {
  return `"${Array.from(text, quoteCharacter).join("")}"`;
}
