import { quoted } from "../quoted.ts";
import { failed, ok, type Result } from "../result.ts";

/** A pod nests some twenty levels, the deepest schema that may travel in one below a hundred. */
const DEEPEST = 512;

/**
 * JSON as the API server writes it. `JSON.parse` alone takes the last of two equal keys, where another reader of the
 * same bytes takes the first: what was checked would not be what is stored. Duplicates and absurd nesting are refused
 * in one pass over the text, before anything is built from it.
 */
export function parseJson(text: string): Result<unknown, string> {
  const problem = scan(text);
  if (problem !== undefined) return failed(problem);
  try {
    return ok(JSON.parse(text));
  } catch {
    // V8's message quotes the body.
    return failed("the body is not valid JSON: it may be truncated");
  }
}

/** Looks at strings and brackets only; that the text is JSON at all is for `JSON.parse` to say. */
function scan(text: string): string | undefined {
  const open: { keys: Set<string> | undefined }[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (char === "{" || char === "[") {
      if (open.push({ keys: undefined }) > DEEPEST) return `the body nests deeper than ${DEEPEST} levels`;
    } else if (char === "}" || char === "]") {
      open.pop();
    } else if (char === '"') {
      const end = endOfString(text, at);
      if (end === -1) return "the body is not valid JSON: a string is not closed";
      const key = keyBetween(text, at, end);
      const scope = open.at(-1);
      if (key !== undefined && scope !== undefined && !remember(scope, key))
        return `the body has the key ${quoted(key)} twice in one object`;
      at = end;
    }
  }
  return undefined;
}

function remember(scope: { keys: Set<string> | undefined }, key: string): boolean {
  scope.keys ??= new Set();
  if (scope.keys.has(key)) return false;
  scope.keys.add(key);
  return true;
}

/** Index of the closing quote: the next one with an even number of backslashes before it. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text[end - 1 - backslashes] === "\\") backslashes += 1;
    if (backslashes % 2 === 0) return end;
  }
  return -1;
}

/** The string's text where it is a key: in JSON, exactly the strings that a colon follows. */
function keyBetween(text: string, start: number, end: number): string | undefined {
  let next = end + 1;
  while (isSpace(text[next])) next += 1;
  if (text[next] !== ":") return undefined;
  const written = text.slice(start + 1, end);
  if (!written.includes("\\")) return written;
  try {
    return String(JSON.parse(`"${written}"`));
  } catch {
    return written;
  }
}

function isSpace(char: string | undefined): boolean {
  return char === " " || char === "\n" || char === "\r" || char === "\t";
}
