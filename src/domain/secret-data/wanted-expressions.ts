/** Which expressions of a class can be evaluated, and over what. */
import type { ObjectFile } from "../content/object-file.ts";
import type { Sensitive } from "../sensitive.ts";
import { filesOfEntry, type SecretObjectEntries } from "./data-entries.ts";
import type { ReadExpression } from "./expression.ts";

/** Of an expression whose files are not all there. */
export const NOT_MADE = "it has no value";

export interface WantedExpressions {
  readonly expressions: readonly ReadExpression[];
  /** By their names. */
  readonly files: ReadonlyMap<string, Sensitive>;
}

/** The expressions of a secretObject whose files are all there. */
export function wantedExpressions({ data = [] }: SecretObjectEntries, files: readonly ObjectFile[]): WantedExpressions {
  const entries = data.filter(({ expression }) => expression?.ok === true);
  if (entries.length === 0) return { expressions: [], files: new Map() };
  // Of two files with the same path the later one counts, as on a mount.
  const known = new Map(files.map((file) => [file.path, file]));
  const whole = entries.filter((entry) => filesOfEntry(entry).every((name) => known.has(name)));
  const named = whole.flatMap(filesOfEntry).flatMap((name) => {
    const file = known.get(name);
    return file === undefined ? [] : [[name, file.contents] as const];
  });
  return { expressions: whole.flatMap(({ expression }) => (expression?.ok === true ? [expression.value] : [])), files: new Map(named) };
}
