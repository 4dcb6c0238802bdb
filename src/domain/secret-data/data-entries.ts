/** Combines the secretObjects of a class with the expressions for their keys. */
import type { SecretObject, SecretProviderClassSpec } from "../kubernetes.ts";
import { trimSpace } from "../provider-class/go-text.ts";
import type { Result } from "../result.ts";
import { WeakCache } from "../weak-cache.ts";
import type { ExpressionProblem, ReadExpression } from "./expression.ts";
import { secretDataOf } from "./read-secret-data.ts";
import { objectSelectorsOf } from "./read-selectors.ts";

/** One entry of `data`. `expression` comes from `secretData`. It is missing if the value is the unchanged file of `objectName`. */
export interface DataEntry {
  readonly objectName?: string;
  readonly key?: string;
  readonly expression?: Result<ReadExpression, ExpressionProblem>;
}

export type SecretObjectEntries = Omit<SecretObject, "data"> & {
  readonly data?: readonly DataEntry[];
  /** Whether a selector adds objects that the class does not name. `data` may then be missing. */
  readonly isSelected?: true;
};

const known = new WeakCache<SecretProviderClassSpec, readonly SecretObjectEntries[]>();

/**
 * Returns the entries with their expressions. Returns the entries of the class unchanged if it has no `secretData` and no selectors, or if
 * one of the two is invalid, because then the worker writes nothing.
 */
export function secretObjectEntries(spec: SecretProviderClassSpec | undefined): readonly SecretObjectEntries[] {
  if (spec === undefined) return [];
  const [secretData, selectors] = [secretDataOf(spec), objectSelectorsOf(spec)];
  if (!secretData.ok || !selectors.ok || secretData.value.size + selectors.value.size === 0) return spec.secretObjects ?? [];
  return known.getOrCreate(spec, () =>
    (spec.secretObjects ?? []).map((secretObject) => {
      const name = trimSpace(secretObject.secretName ?? "");
      const expressions = secretData.value.get(name) ?? NONE;
      const data = (secretObject.data ?? []).map((entry) => withExpression(entry, expressions));
      return { ...secretObject, data, ...(selectors.value.has(name) ? { isSelected: true } : {}) };
    }),
  );
}

const NONE: ReadonlyMap<string, Result<ReadExpression, ExpressionProblem>> = new Map();

function withExpression(entry: DataEntry, expressions: ReadonlyMap<string, Result<ReadExpression, ExpressionProblem>>): DataEntry {
  const expression = expressions.get(entryKey(entry));
  return expression === undefined ? entry : { ...entry, expression };
}

export function entryKey({ key = "" }: Pick<DataEntry, "key">): string {
  return trimSpace(key);
}

/** Returns the files that the value is made from. For an invalid expression, returns the file that the driver would use. */
export function filesOfEntry({ objectName = "", expression }: DataEntry): readonly string[] {
  return expression?.ok === true ? expression.value.files : [trimSpace(objectName)];
}
