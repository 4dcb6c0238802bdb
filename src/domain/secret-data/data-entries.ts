/** The secretObjects of a class, with what their keys are made of. */
import type { SecretObject, SecretProviderClassSpec } from "../kubernetes.ts";
import { trimSpace } from "../provider-class/go-text.ts";
import type { Result } from "../result.ts";
import { WeakCache } from "../weak-cache.ts";
import type { ExpressionProblem, ReadExpression } from "./expression.ts";
import { secretDataOf } from "./read-secret-data.ts";
import { objectSelectorsOf } from "./read-selectors.ts";

/** One entry of `data`. `expression`: of `secretData`; absent where the value is the file of `objectName` as it is. */
export interface DataEntry {
  readonly objectName?: string;
  readonly key?: string;
  readonly expression?: Result<ReadExpression, ExpressionProblem>;
}

export type SecretObjectEntries = Omit<SecretObject, "data"> & {
  readonly data?: readonly DataEntry[];
  /** It has objects, too, that the class does not name: it may be without `data`. */
  readonly isSelected?: true;
};

const known = new WeakCache<SecretProviderClassSpec, readonly SecretObjectEntries[]>();

/** As the class has them where it says nothing more of them, or what cannot be read: then nothing is made of it. */
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

/** The files that the value is made from. Of an expression that cannot be read, the one that the driver would take. */
export function filesOfEntry({ objectName = "", expression }: DataEntry): readonly string[] {
  return expression?.ok === true ? expression.value.files : [trimSpace(objectName)];
}
