/** Values of expressions. */
import type { DerivationBudget } from "../content/derivation-budget.ts";
import type { Pki, SaltOf } from "../ports/pki.ts";
import { failed, ok, type Result } from "../result.ts";
import { bytesOf, textIn } from "./bytes.ts";
import { type DocumentNode, readDocument } from "./document.ts";
import type { Expression } from "./expression.ts";
import { findFunction, type Using } from "./functions.ts";

/** Of all that an expression makes on its way, of what a function is given, and of the values of one Secret, in bytes: a Secret takes no more. */
export const MAX_VALUE = 1_048_576;

export interface EvaluationInput {
  /** By the names of the files. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly pki: Pki;
  readonly budget: DerivationBudget;
  /** By which salts are made: a secret of the worker's own. */
  readonly saltKey: Uint8Array;
}

/** The values of one Secret. Why there is none: function and place, and nothing of a value. */
export function evaluateAll(
  expressions: readonly Expression[],
  { files, pki, budget, saltKey }: EvaluationInput,
): readonly Result<Uint8Array, string>[] {
  const read = new Map<Uint8Array, Result<DocumentNode, string>>();
  const document = (value: Uint8Array): Result<DocumentNode, string> => {
    const text = textIn(value);
    const known = read.get(value) ?? (text.ok ? readDocument(text.value) : text);
    read.set(value, known);
    return known;
  };
  const saltOf = (parts: readonly Uint8Array[]): SaltOf => {
    return (purpose) => pki.keyedHash(saltKey, [bytesOf(purpose), ...parts]);
  };
  const using = { pki, budget, document, saltOf };
  let room = MAX_VALUE;
  return expressions.map((expression) => {
    const value = room < 0 ? failed(`${TOO_MUCH} for all of them`) : evaluate(expression, files, using);
    if (value.ok) room -= value.value.length;
    return value;
  });
}

const TOO_MUCH = `it would have more than ${MAX_VALUE} bytes`;

function evaluate(expression: Expression, files: ReadonlyMap<string, Uint8Array>, using: Using): Result<Uint8Array, string> {
  if (expression.kind === "text") return ok(bytesOf(expression.value));
  if (expression.kind === "file") {
    const file = files.get(expression.name);
    return file === undefined ? failed(`at character ${expression.at}: there is no file of that name`) : ok(file);
  }
  const { name, at } = expression;
  const values: Uint8Array[] = [];
  for (const parameter of expression.parameters) {
    const value = evaluate(parameter, files, using);
    if (!value.ok) return value;
    values.push(value.value);
  }
  const given = values.reduce((sum, value) => sum + value.length, 0);
  const made = given > MAX_VALUE ? failed(TOO_MUCH) : (findFunction(name)?.apply(values, using) ?? failed("there is no such function"));
  if (made.ok && made.value.length <= MAX_VALUE) return made;
  return failed(`${name} at character ${at}: ${made.ok ? TOO_MUCH : made.error}`);
}
