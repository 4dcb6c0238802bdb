/** Finds the expressions of a class that can be evaluated, and their files. */
import type { ObjectFile } from "../content/object-file.ts";
import type { Sensitive } from "../sensitive.ts";
import { filesOfEntry, type SecretObjectEntries } from "./data-entries.ts";
import type { ReadExpression } from "./expression.ts";

/** Error of an expression with missing files. */
export const NOT_MADE = "it has no value";

export interface WantedExpressions {
  readonly expressions: readonly ReadExpression[];
  /** Files by name. */
  readonly files: ReadonlyMap<string, Sensitive>;
}

/** Returns the expressions of a secretObject whose files all exist. */
export function wantedExpressions({ data = [] }: SecretObjectEntries, files: readonly ObjectFile[]): WantedExpressions {
  const entries = data.filter(({ expression }) => expression?.ok === true);
  if (entries.length === 0) return { expressions: [], files: new Map() };
  // The later of two files with the same path counts, as in a mount.
  const known = new Map(files.map((file) => [file.path, file]));
  const whole = entries.filter((entry) => filesOfEntry(entry).every((name) => known.has(name)));
  const named = whole.flatMap(filesOfEntry).flatMap((name) => {
    const file = known.get(name);
    return file === undefined ? [] : [[name, file.contents] as const];
  });
  return { expressions: whole.flatMap(({ expression }) => (expression?.ok === true ? [expression.value] : [])), files: new Map(named) };
}
