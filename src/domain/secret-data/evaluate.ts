/** Values of expressions. */

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

/** Of all that an expression makes on its way, of what a function is given, and of the values of one Secret, in bytes: a Secret takes no more. */
export const MAX_VALUE = 1_048_576;
/** Of all that the functions of one Secret are given, in bytes: what is made of it has no other bound on a thread. */
const MAX_WORK = 16 * MAX_VALUE;

export interface EvaluationInput {
  /** By the names of the files. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly pki: Pki;
  readonly budget: DerivationBudget;
  /** By which salts are made: a secret of the worker's own. */
  readonly saltKey: Uint8Array;
}

/** The values of one Secret, for the texts of its expressions. Why there is none: function and place, and nothing of a value. */
export function evaluateAll(texts: readonly string[], { files, pki, budget, saltKey }: EvaluationInput): Parts {
  const read = new Map<Uint8Array, Result<DocumentNode, string>>();
  const held = new Set(files.values());
  const document = (value: Uint8Array): Result<DocumentNode, string> => {
    const text = textIn(value);
    const known = read.get(value) ?? (text.ok ? readDocument(text.value) : text);
    // What an expression has made on its way nobody reads twice.
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
  /** Bytes that may still be made. */
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
