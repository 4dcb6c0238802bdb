/** Evaluates expressions. */

import { bytesOf, textIn } from "../bytes.ts";
import type { Parts } from "../content/take-apart.ts";
import type { DerivationBudget } from "../derivation-budget.ts";
import { type Pki, type SaltOf, undecodable } from "../ports/pki.ts";
import { failed, ok, type Result } from "../result.ts";
import { type DocumentNode, readDocument } from "./document.ts";
import type { Expression } from "./expression.ts";
import { findFunction } from "./functions.ts";
import type { Using } from "./key-stores.ts";
import { parseExpression } from "./parse-expression.ts";

/**
 * Maximum size in bytes of each result of a function, of all arguments of one function call, and of all values of one Secret. A Secret
 * holds no more.
 */
export const MAX_VALUE = 1_048_576;
/** Maximum number of bytes that all functions of one Secret process. Nothing else limits the work of a Secret on a thread. */
const MAX_WORK = 16 * MAX_VALUE;

export interface EvaluationInput {
  /** Files by name. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly pki: Pki;
  readonly budget: DerivationBudget;
  /** Secret key of the worker from which salts are derived. */
  readonly saltKey: Uint8Array;
}

/** Evaluates the expressions of one Secret. An error names the function and its place, and contains no part of a value. */
export function evaluateAll(texts: readonly string[], { files, pki, budget, saltKey }: EvaluationInput): Parts {
  const read = new Map<Uint8Array, Result<DocumentNode, string>>();
  const held = new Set(files.values());
  const document = (value: Uint8Array): Result<DocumentNode, string> => {
    const text = textIn(value);
    const known = read.get(value) ?? (text.ok ? readDocument(text.value) : text);
    // Only files are read twice. An intermediate result is used once.
    if (held.has(value)) read.set(value, known);
    return known;
  };
  const saltOf = (parts: readonly Uint8Array[]): SaltOf => {
    return (purpose) => pki.keyedHash(saltKey, [bytesOf(purpose), ...parts]);
  };
  const evaluation = { files, using: { pki, budget, document, saltOf }, work: MAX_WORK };
  let room = MAX_VALUE;
  return texts.map((text) => {
    const expression = parseExpression(text);
    if (!expression.ok) return undecodable(`at character ${expression.error.at}: ${expression.error.message}`);
    const value = room < 0 ? failed(`${TOO_MUCH} for all of them`) : evaluate(expression.value, evaluation);
    if (!value.ok) return undecodable(value.error);
    room -= value.value.length;
    return value;
  });
}

const TOO_MUCH = `it would have more than ${MAX_VALUE} bytes`;

interface Evaluation {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly using: Using;
  /** Bytes that functions may still process. */
  work: number;
}

function evaluate(expression: Expression, evaluation: Evaluation): Result<Uint8Array, string> {
  if (expression.kind === "text") return ok(bytesOf(expression.value));
  if (expression.kind === "file") {
    const file = evaluation.files.get(expression.name);
    return file === undefined ? failed(`at character ${expression.at}: no file has that name`) : ok(file);
  }
  const { name, at } = expression;
  const values: Uint8Array[] = [];
  for (const parameter of expression.parameters) {
    const value = evaluate(parameter, evaluation);
    if (!value.ok) return value;
    values.push(value.value);
  }
  const made = applied(name, values, evaluation);
  if (made.ok && made.value.length <= MAX_VALUE) return made;
  return failed(`${name} at character ${at}: ${made.ok ? TOO_MUCH : made.error}`);
}

function applied(name: string, values: readonly Uint8Array[], evaluation: Evaluation): Result<Uint8Array, string> {
  const given = values.reduce((sum, value) => sum + value.length, 0);
  if (given > MAX_VALUE) return failed(TOO_MUCH);
  evaluation.work -= given;
  if (evaluation.work < 0) return failed(`the functions of its Secret process more than ${MAX_WORK} bytes in total`);
  return findFunction(name)?.apply(values, evaluation.using) ?? failed("the function does not exist");
}
