/** Expressions of `secretData`: what a key of a Secret gets, as text. */
import { failed, ok, type Result } from "../result.ts";
import type { DraftValue } from "./class-draft.ts";

const PLAIN_FILE = /^[A-Za-z_][A-Za-z0-9_.-]*$/;

/** `base64decode(property(db, "password"))`. `pathOf` names the file of a leaf. */
export function expressionText(value: DraftValue, pathOf: (file: Extract<DraftValue, { kind: "file" }>) => string): string {
  if (value.kind === "file") {
    const path = pathOf(value);
    return PLAIN_FILE.test(path) ? path : `object(${JSON.stringify(path)})`;
  }
  const texts = value.arguments.map((each) => (typeof each === "string" ? JSON.stringify(each) : expressionText(each, pathOf)));
  return `${value.name}(${texts.join(", ")})`;
}

/** The file that a key names, so that the class means something to the CSI driver too. */
export function firstFile(value: DraftValue): Extract<DraftValue, { kind: "file" }> | undefined {
  if (value.kind === "file") return value;
  for (const each of value.arguments) {
    const found = typeof each === "string" ? undefined : firstFile(each);
    if (found !== undefined) return found;
  }
  return undefined;
}

const PLAIN_NAME = /^[A-Za-z_][A-Za-z0-9_-]*$/;
/** As long as a path of `secretData` has one. It finds the member of that name as well, where there is a mapping. */
const INDEX = /^(?:0|[1-9][0-9]{0,8})$/;

/** Path of one value in JSON: `user.name`, `hosts[0]`, `["a.b"].c`. */
export function propertyPath(steps: readonly (string | number)[]): string {
  return steps
    .map((step, index) => {
      if (typeof step === "number") return `[${step}]`;
      if (!PLAIN_NAME.test(step)) return `[${JSON.stringify(step)}]`;
      return index === 0 ? step : `.${step}`;
    })
    .join("");
}

/** What gjson, which External Secrets Operator asks, takes for more than a name. */
const QUERY = /[|#@*?{}[\]()!~\\]/;

/**
 * Steps of a path of gjson, in which a dot separates names, a backslash takes its meaning away, and digits are an index.
 * Queries, wildcards and modifiers give more than one value, or another one.
 */
export function stepsOfGjson(path: string): Result<readonly (string | number)[], string> {
  const names = path.split(/(?<!\\)\./).map((name) => name.replaceAll("\\.", "."));
  if (names.some((name) => name === "")) return failed("a name in it is empty");
  if (names.some((name) => QUERY.test(name))) return failed("it is a query, not the path of one value");
  return ok(names.map((name) => (INDEX.test(name) ? Number(name) : name)));
}
