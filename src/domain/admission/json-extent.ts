/** What a JSON text becomes when it is parsed, as far as its bytes say so. */
export interface JsonExtent {
  /** Lists, objects, and what follows a comma: never fewer than there are values besides the first of each list and object. */
  readonly values: number;
  /** Levels of lists and objects. */
  readonly depth: number;
}

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c] as const;
const [LIST, LIST_END, OBJECT, OBJECT_END] = [0x5b, 0x5d, 0x7b, 0x7d] as const;

/**
 * Counts without parsing, and no further than the limit: a parsed value takes some sixty bytes, a level of nesting several hundred, and
 * `{},` is a value in three. Of a text that is no JSON it is right as far as a parser gets.
 */
export function jsonExtent(bytes: Uint8Array, limit: JsonExtent): JsonExtent {
  let values = 0;
  let level = 0;
  let depth = 0;
  for (let at = 0; at < bytes.length && values <= limit.values && depth <= limit.depth; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) at = endOfString(bytes, at);
    else if (byte === COMMA) values++;
    else if (byte === LIST || byte === OBJECT) {
      values++;
      level++;
      if (level > depth) depth = level;
    } else if (byte === LIST_END || byte === OBJECT_END) level--;
  }
  return { values, depth };
}

/** Where the quote is that ends the string which begins at `start`. No byte of a longer character of UTF-8 is a quote or a backslash. */
function endOfString(bytes: Uint8Array, start: number): number {
  for (let at = start + 1; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) return at;
    if (byte === BACKSLASH) at++;
  }
  return bytes.length;
}
