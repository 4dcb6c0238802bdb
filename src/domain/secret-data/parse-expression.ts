/** Parses expressions. Never throws: every text yields an expression or a problem, in time that grows with its length. */
import { quoted } from "../quoted.ts";
import { failed, ok, type Result } from "../result.ts";
import { nearestSpelling } from "../spelling.ts";
import { type Expression, type ExpressionProblem, filesIn } from "./expression.ts";
import { type ExpressionFunction, FUNCTIONS, findFunction, type Parameter, signatureOf } from "./functions.ts";
import { PATH_HINT, parsePath } from "./property-path.ts";

/** Maximum length in characters. */
export const MAX_EXPRESSION = 4_096;
/** Maximum depth of nested functions. */
const MAX_DEPTH = 20;

/** Pseudo-function for a file whose name is not a plain word: `object("db/0")`. */
const OBJECT = "object";

const TOKEN = /\s*(?:(?<word>[A-Za-z0-9_][-A-Za-z0-9_.]*)|(?<text>"(?:[^"\\]|\\.)*")|(?<mark>[(),])|$)/y;

type Token = { readonly at: number } & (
  | { readonly kind: "word" | "text" | "mark"; readonly value: string }
  | { readonly kind: "end" | "unknown" }
);

/** Stops the parser. `parseExpression` catches it. */
class Unreadable extends Error {
  readonly problem: ExpressionProblem;

  constructor(at: number, message: string, hint: string) {
    super(message);
    this.problem = { at, message, hint };
  }
}

export function parseExpression(text: string): Result<Expression, ExpressionProblem> {
  if (text.length > MAX_EXPRESSION)
    return failed({ at: MAX_EXPRESSION + 1, message: `an expression can have at most ${MAX_EXPRESSION} characters`, hint: "shorten it" });
  try {
    const expression = new Reader(text).readAll();
    if (filesIn(expression).length > 0) return ok(expression);
    return failed({
      at: 1,
      message: "it names no object",
      hint: "name the file of an object of the class: its alias, or otherwise its name",
    });
  } catch (error) {
    if (error instanceof Unreadable) return failed(error.problem);
    throw error;
  }
}

const HINT = 'write a function such as property(db, "user.name"), the name of a file, or a text in quotation marks';

class Reader {
  readonly #text: string;
  #token: Token;
  #next = 0;

  constructor(text: string) {
    this.#text = text;
    this.#token = this.#read();
  }

  readAll(): Expression {
    const expression = this.#expression(MAX_DEPTH);
    if (this.#token.kind !== "end")
      throw new Unreadable(this.#token.at, "there is text after the end of the expression", "remove what follows");
    return expression;
  }

  #expression(depth: number): Expression {
    const token = this.#take();
    if (depth === 0) throw new Unreadable(token.at, `functions are nested more than ${MAX_DEPTH} deep`, "nest fewer functions");
    if (token.kind === "text") return { kind: "text", value: textOf(token.value, token.at), at: token.at };
    if (token.kind !== "word") throw new Unreadable(token.at, "a function, a file, or a text is missing", HINT);
    if (!this.#isMark("(")) return { kind: "file", name: token.value, at: token.at };
    this.#take();
    return checked(token.value, token.at, this.#parameters(depth));
  }

  #parameters(depth: number): readonly Expression[] {
    const parameters: Expression[] = [];
    while (!this.#isMark(")")) {
      if (parameters.length > 0) {
        if (!this.#isMark(",")) throw new Unreadable(this.#token.at, "a comma or a closing parenthesis is missing", "write , or )");
        this.#take();
      }
      parameters.push(this.#expression(depth - 1));
    }
    this.#take();
    return parameters;
  }

  #isMark(mark: string): boolean {
    return this.#token.kind === "mark" && this.#token.value === mark;
  }

  #take(): Token {
    const token = this.#token;
    this.#token = this.#read();
    return token;
  }

  #read(): Token {
    TOKEN.lastIndex = this.#next;
    const match = TOKEN.exec(this.#text);
    if (match === null) return { kind: "unknown", at: this.#next + 1 + (/^\s*/.exec(this.#text.slice(this.#next))?.[0].length ?? 0) };
    this.#next = TOKEN.lastIndex;
    for (const kind of ["word", "text", "mark"] as const) {
      const value = match.groups?.[kind];
      if (value !== undefined) return { kind, value, at: this.#next - value.length + 1 };
    }
    return { kind: "end", at: this.#next + 1 };
  }
}

function textOf(token: string, at: number): string {
  try {
    return String(JSON.parse(token));
  } catch {
    throw new Unreadable(at, "a text has an escape or a line break that JSON does not allow", String.raw`write \n, \" or \\`);
  }
}

function checked(name: string, at: number, parameters: readonly Expression[]): Expression {
  if (name === OBJECT) return fileOf(at, parameters);
  const found = findFunction(name);
  if (found === undefined) {
    const nearest = nearestSpelling(name, [...FUNCTIONS.map((each) => each.name), OBJECT]);
    const hint = nearest === undefined ? "write one of the functions of the reference" : `did you mean ${nearest}?`;
    throw new Unreadable(at, `the function ${quoted(name)} does not exist`, hint);
  }
  if (!hasRightCount(found, parameters.length)) throw new Unreadable(at, `${name} takes other parameters`, `write ${signatureOf(found)}`);
  for (const [index, parameter] of parameters.entries()) checkText(found, parameterAt(found, index), parameter);
  return { kind: "call", name, parameters, at };
}

function fileOf(at: number, parameters: readonly Expression[]): Expression {
  const [name, ...more] = parameters;
  if (name?.kind === "text" && more.length === 0) return { kind: "file", name: name.value, at };
  throw new Unreadable(at, "object takes the name of a file as a text", 'write object("db/0")');
}

function hasRightCount({ parameters, repeated }: ExpressionFunction, count: number): boolean {
  const needed = parameters.filter(({ isOptional }) => isOptional !== true).length;
  if (repeated === undefined) return count >= needed && count <= parameters.length;
  return count >= needed && (count - needed) % repeated === 0;
}

function parameterAt({ parameters, repeated = 0 }: ExpressionFunction, index: number): Parameter | undefined {
  if (index < parameters.length) return parameters[index];
  const fixed = parameters.length - repeated;
  return parameters[fixed + ((index - fixed) % repeated)];
}

function checkText(found: ExpressionFunction, wanted: Parameter | undefined, given: Expression): void {
  if (wanted?.isText !== true) return;
  if (given.kind !== "text")
    throw new Unreadable(given.at, `the ${wanted.name} of ${found.name} must be a text in quotation marks`, `write ${signatureOf(found)}`);
  const path = wanted.name === "path" ? parsePath(given.value) : undefined;
  if (path?.ok === false) throw new Unreadable(given.at + path.error, "the path cannot be read", PATH_HINT);
}
