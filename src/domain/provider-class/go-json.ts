/**
 * JSON as Go's `encoding/json` reads it: what it calls a syntax error, and in which words. Byte by byte and without recursion, so that
 * neither odd bytes nor deep nesting matter.
 */
import { failed, ok, type Result } from "../result.ts";
import { goQuote } from "./go-text.ts";

const DEEPEST = 10_000;
const LITERALS: ReadonlyMap<string, string> = new Map([
  ["t", "true"],
  ["f", "false"],
  ["n", "null"],
]);

/** What the next byte must begin. */
type Expected = "value" | "key" | "separator" | "end";
type Step = Result<Expected, string>;

const TRUNCATED = "unexpected end of JSON input";

/** As Go shows one byte of the text. */
function shown(character: string): string {
  if (character === "'") return "'\\''";
  return character === '"' ? "'\"'" : `'${goQuote(character).slice(1, -1)}'`;
}

class Scanner {
  readonly #bytes: Uint8Array;
  readonly #open: ("object" | "array")[] = [];
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  problem(): string | undefined {
    let expected: Expected = "value";
    while (expected !== "end") {
      const step: Step = this.#step(expected);
      if (!step.ok) return step.error;
      expected = step.value;
    }
    this.#skipSpace();
    return this.#peek() === "" ? undefined : this.#invalid("after top-level value");
  }

  #step(expected: Exclude<Expected, "end">): Step {
    if (expected === "separator" && this.#open.length === 0) return ok("end");
    this.#skipSpace();
    if (this.#peek() === "") return failed(TRUNCATED);
    if (expected === "value") return this.#value();
    return expected === "key" ? this.#key() : this.#separator();
  }

  #value(): Step {
    const first = this.#peek();
    if (first === "{") return this.#begin("object", "}", "key");
    if (first === "[") return this.#begin("array", "]", "value");
    const literal = LITERALS.get(first);
    const problem = first === '"' ? this.#string() : literal === undefined ? this.#number() : this.#literal(literal);
    return problem === undefined ? ok("separator") : failed(problem);
  }

  #begin(kind: "object" | "array", close: string, content: Expected): Step {
    if (this.#open.push(kind) > DEEPEST) return failed(this.#invalid("exceeded max depth"));
    this.#at += 1;
    this.#skipSpace();
    return this.#peek() === close ? this.#end() : ok(content);
  }

  #end(): Step {
    this.#at += 1;
    this.#open.pop();
    return ok("separator");
  }

  #key(): Step {
    if (this.#peek() !== '"') return failed(this.#invalid("looking for beginning of object key string"));
    const problem = this.#string();
    if (problem !== undefined) return failed(problem);
    this.#skipSpace();
    if (this.#peek() !== ":") return failed(this.#problemHere("after object key"));
    this.#at += 1;
    return ok("value");
  }

  #separator(): Step {
    const isObject = this.#open.at(-1) === "object";
    const character = this.#peek();
    if (character === (isObject ? "}" : "]")) return this.#end();
    if (character !== ",") return failed(this.#invalid(isObject ? "after object key:value pair" : "after array element"));
    this.#at += 1;
    return ok(isObject ? "key" : "value");
  }

  #string(): string | undefined {
    this.#at += 1;
    for (let character = this.#peek(); character !== '"'; character = this.#peek()) {
      if (character === "" || character < " ") return this.#problemHere("in string literal");
      this.#at += 1;
      const problem = character === "\\" ? this.#escape() : undefined;
      if (problem !== undefined) return problem;
    }
    this.#at += 1;
    return undefined;
  }

  #escape(): string | undefined {
    const character = this.#peek();
    if (character === "" || !'bfnrt\\/"u'.includes(character)) return this.#invalid("in string escape code");
    this.#at += 1;
    if (character !== "u") return undefined;
    for (let digit = 0; digit < 4; digit += 1) {
      if (!/^[0-9a-fA-F]$/.test(this.#peek())) return this.#invalid("in \\u hexadecimal character escape");
      this.#at += 1;
    }
    return undefined;
  }

  #literal(word: string): string | undefined {
    for (const expected of word) {
      if (this.#peek() !== expected) return this.#invalid(`in literal ${word} (expecting ${shown(expected)})`);
      this.#at += 1;
    }
    return undefined;
  }

  #number(): string | undefined {
    const isNegative = this.#take("-");
    if (isNegative && !this.#isDigit()) return this.#invalid("in numeric literal");
    if (!this.#isDigit()) return this.#invalid("looking for beginning of value");
    if (!this.#take("0")) this.#digits();
    if (this.#take(".")) {
      if (!this.#isDigit()) return this.#invalid("after decimal point in numeric literal");
      this.#digits();
    }
    if (!this.#take("e") && !this.#take("E")) return undefined;
    if (!this.#take("+")) this.#take("-");
    if (!this.#isDigit()) return this.#invalid("in exponent of numeric literal");
    this.#digits();
    return undefined;
  }

  #digits(): void {
    while (this.#isDigit()) this.#at += 1;
  }

  #isDigit(): boolean {
    return /^\d$/.test(this.#peek());
  }

  #take(character: string): boolean {
    const isThere = this.#peek() === character;
    if (isThere) this.#at += 1;
    return isThere;
  }

  #skipSpace(): void {
    while (/^[ \t\r\n]$/.test(this.#peek())) this.#at += 1;
  }

  /** One byte as the character of its number, as Go takes it; empty at the end. */
  #peek(): string {
    const byte = this.#bytes[this.#at];
    return byte === undefined ? "" : String.fromCharCode(byte);
  }

  #problemHere(where: string): string {
    return this.#peek() === "" ? TRUNCATED : this.#invalid(where);
  }

  /** Go ends the text with a space, and says so where a word, a number or an escape was not complete. */
  #invalid(where: string): string {
    return `invalid character ${shown(this.#peek() || " ")} ${where}`;
  }
}

/** The value, or the first syntax error in Go's words. Total, in time linear in the input. */
export function parseGoJson(bytes: Uint8Array): Result<unknown, string> {
  const problem = new Scanner(bytes).problem();
  // What Go takes, `JSON.parse` takes; a mark of the byte order is a syntax error for both.
  return problem === undefined ? ok(JSON.parse(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes)) as unknown) : failed(problem);
}
