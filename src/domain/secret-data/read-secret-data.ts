/**
 * Reads the parameter `secretData` of a class: expressions for those keys of its secretObjects that are not the unchanged file of
 * `objectName`. The provider and the driver do not know the parameter, but accept the class.
 */
import type { SecretProviderClassSpec } from "../kubernetes.ts";
import { MAX_DATA_ENTRIES } from "../provider-class/class-limits.ts";
import { trimSpace } from "../provider-class/go-text.ts";
import { SECRET_DATA } from "../provider-class/parameters.ts";
import type { ClassProblem } from "../provider-class/problem.ts";
import { type MisreadYaml, mappingMembers, textAt } from "../provider-class/yaml-members.ts";
import { parseYaml } from "../provider-class/yaml-tree.ts";
import { quoted } from "../quoted.ts";
import { failed, ok, type Result } from "../result.ts";
import { nearestSpelling } from "../spelling.ts";
import { WeakCache } from "../weak-cache.ts";
import { type ExpressionProblem, filesIn, type ReadExpression } from "./expression.ts";
import { parseExpression } from "./parse-expression.ts";

export const SECRET_DATA_FIELD = `spec.parameters.${SECRET_DATA}`;

/** Enough for hundreds of expressions. Worker and webhook parse it on their main thread. */
const MAX_LENGTH = 32_768;

/** Expressions by the name of the Secret, then by the key. */
export type SecretData = ReadonlyMap<string, ReadonlyMap<string, Result<ReadExpression, ExpressionProblem>>>;

export type ReadSecretData = Result<SecretData, ClassProblem>;

const NONE: ReadSecretData = ok(new Map());

const known = new WeakCache<SecretProviderClassSpec, ReadSecretData>();

/**
 * Reads the parameter. An invalid expression is a problem of its Secret only. A text that is not such a mapping is a problem of the class.
 */
export function secretDataOf(spec: SecretProviderClassSpec): ReadSecretData {
  const text = trimSpace(spec.parameters?.[SECRET_DATA] ?? "");
  return text === "" ? NONE : known.getOrCreate(spec, () => readFor(spec, text));
}

function readFor(spec: SecretProviderClassSpec, text: string): ReadSecretData {
  const read = readSecretData(text);
  if (!read.ok) return read;
  const problem = strayProblem(spec, read.value) ?? sourcesProblem(spec, read.value);
  return problem === undefined ? read : failed(problem);
}

function invalid(message: string, hint: string, place: string = ""): { readonly ok: false; readonly error: ClassProblem } {
  return failed({ reason: "InvalidClass", message, field: `${SECRET_DATA_FIELD}${place}`, hint, isLimit: true });
}

const HINT = "write YAML: names of Secrets, below each its keys, after each key an expression";

function readSecretData(text: string): ReadSecretData {
  if (text.length > MAX_LENGTH) return invalid(`${SECRET_DATA} has more than ${MAX_LENGTH} characters`, "spread it over several classes");
  const tree = parseYaml(text);
  if (!tree.ok) return invalid(`${SECRET_DATA} cannot be read: ${tree.error}`, HINT);
  const secrets = mappingMembers(tree.value, "");
  if (!secrets.ok) return misread(secrets.error);
  const read = new Map<string, ReadonlyMap<string, Result<ReadExpression, ExpressionProblem>>>();
  for (const [name, node] of secrets.value) {
    const keys = mappingMembers(node, `[${name}]`);
    if (!keys.ok) return misread(keys.error);
    const expressions = new Map<string, Result<ReadExpression, ExpressionProblem>>();
    for (const [key, value] of keys.value) {
      const text = textAt(value, `[${name}][${key}]`);
      if (!text.ok) return misread(text.error);
      expressions.set(key, readExpression(text.value));
    }
    read.set(name, expressions);
  }
  return ok(read);
}

function readExpression(text: string): Result<ReadExpression, ExpressionProblem> {
  const expression = parseExpression(text);
  return expression.ok ? ok({ text, files: filesIn(expression.value) }) : expression;
}

function misread({ message, place }: MisreadYaml): { readonly ok: false; readonly error: ClassProblem } {
  return invalid(message, HINT, place);
}

/**
 * Finds a key without an entry in secretObjects. Every key needs one, because the driver and the readers of the class rely on
 * secretObjects.
 */
function strayProblem({ secretObjects = [] }: SecretProviderClassSpec, read: SecretData): ClassProblem | undefined {
  const entries = new Map<string, ReadonlySet<string>>();
  for (const { secretName = "", data = [] } of secretObjects)
    entries.set(trimSpace(secretName), new Set(data.map(({ key = "" }) => trimSpace(key))));
  for (const [name, expressions] of read) {
    const keys = entries.get(name);
    if (keys === undefined)
      return stray(`no secretObject is named ${quoted(name)}`, `[${name}]`, nearestSpelling(name, [...entries.keys()]));
    const key = [...expressions.keys()].find((each) => !keys.has(each));
    if (key !== undefined)
      return stray(`the secretObject ${name} has no key ${quoted(key)}`, `[${name}][${key}]`, nearestSpelling(key, [...keys]));
  }
  return undefined;
}

/** Limits the number of files, because each file is an entry of the status, as each entry of secretObjects is. */
function sourcesProblem({ secretObjects = [] }: SecretProviderClassSpec, read: SecretData): ClassProblem | undefined {
  const counts = new Map(
    [...read].map(([name, keys]) => [name, new Map([...keys].map(([key, each]) => [key, each.ok ? each.value.files.length : 0]))]),
  );
  let files = 0;
  for (const { secretName = "", data = [] } of secretObjects)
    for (const { key = "" } of data) files += counts.get(trimSpace(secretName))?.get(trimSpace(key)) ?? 0;
  if (files <= MAX_DATA_ENTRIES) return undefined;
  const message = `its expressions name ${files} files in total; a class can have ${MAX_DATA_ENTRIES}`;
  return { reason: "InvalidClass", message, field: SECRET_DATA_FIELD, hint: "spread them over several classes", isLimit: true };
}

function stray(message: string, place: string, nearest: string | undefined): ClassProblem {
  const hint = nearest === undefined ? "add it to secretObjects, with one of its files as objectName" : `did you mean ${nearest}?`;
  return { reason: "InvalidClass", message, field: `${SECRET_DATA_FIELD}${place}`, hint, isLimit: true };
}
