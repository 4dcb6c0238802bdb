/** Writes expressions of `secretData`, which set the value of a key of a Secret. */
import { failed, ok, type Result } from "../result.ts";
import type { DraftValue } from "./class-draft.ts";

const PLAIN_FILE = /^[A-Za-z_][A-Za-z0-9_.-]*$/;

/** Writes a value as an expression, for example `base64decode(property(db, "password"))`. `pathOf` returns the file of a leaf. */
export function expressionText(value: DraftValue, pathOf: (file: Extract<DraftValue, { kind: "file" }>) => string): string {
  if (value.kind === "file") {
    const path = pathOf(value);
    return PLAIN_FILE.test(path) ? path : `object(${JSON.stringify(path)})`;
  }
  const texts = value.arguments.map((each) => (typeof each === "string" ? JSON.stringify(each) : expressionText(each, pathOf)));
  return `${value.name}(${texts.join(", ")})`;
}

/** Returns the first file in a value. The key names this file, so that the CSI driver can also read the class. */
export function firstFile(value: DraftValue): Extract<DraftValue, { kind: "file" }> | undefined {
  if (value.kind === "file") return value;
  for (const each of value.arguments) {
    const found = typeof each === "string" ? undefined : firstFile(each);
    if (found !== undefined) return found;
  }
  return undefined;
}

const PLAIN_NAME = /^[A-Za-z_][A-Za-z0-9_-]*$/;
/**
 * An index has at most as many digits as in a path of `secretData`. If the value is a mapping, the index also finds the member of that
 * name.
 */
const INDEX = /^(?:0|[1-9][0-9]{0,8})$/;

/** Writes the path of one value in JSON: `user.name`, `hosts[0]`, `["a.b"].c`. */
export function propertyPath(steps: readonly (string | number)[]): string {
  return steps
    .map((step, index) => {
      if (typeof step === "number") return `[${step}]`;
      if (!PLAIN_NAME.test(step)) return `[${JSON.stringify(step)}]`;
      return index === 0 ? step : `.${step}`;
    })
    .join("");
}

/** Characters that have a special meaning in gjson, which External Secrets Operator uses. */
const QUERY = /[|#@*?{}[\]()!~\\]/;

/**
 * Splits a gjson path into its steps. A dot separates names, a backslash escapes it, and digits are an index. Refuses queries, wildcards,
 * and modifiers, because they return several values or a different value.
 */
export function stepsOfGjson(path: string): Result<readonly (string | number)[], string> {
  const names = path.split(/(?<!\\)\./).map((name) => name.replaceAll("\\.", "."));
  if (names.some((name) => name === "")) return failed("a name in it is empty");
  if (names.some((name) => QUERY.test(name))) return failed("it is a query, not the path of one value");
  return ok(names.map((name) => (INDEX.test(name) ? Number(name) : name)));
}
