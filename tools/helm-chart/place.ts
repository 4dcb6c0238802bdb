/** Places in a manifest, and what the chart puts there instead of the manifest's own value. */

export type Json = string | number | boolean | null | readonly Json[] | JsonMap;
export interface JsonMap {
  readonly [key: string]: Json;
}

/** What stands at a place of a template. Expressions are Go template pipelines, without their braces. */
export type Put =
  /** In place of a number, a boolean or a whole string. */
  | { readonly kind: "scalar"; readonly expression: string }
  /** In place of `find` inside a string. */
  | { readonly kind: "text"; readonly find: string; readonly expression: string }
  /** In place of `find` inside a text of several lines, where the expression's own quotes stand. */
  | { readonly kind: "inside"; readonly find: string; readonly expression: string }
  /** A map or list from the values, left out where it is empty. */
  | { readonly kind: "block"; readonly expression: string }
  /** The manifest's own entry, where the condition holds. */
  | { readonly kind: "when"; readonly condition: string }
  /** More at the end of a map or list: lines of a template, indented as its entries are. */
  | { readonly kind: "tail"; readonly lines: readonly string[] }
  /** In place of an item of a list. */
  | { readonly kind: "item"; readonly lines: readonly string[] };

/**
 * `at` is a path from the object's root. Its steps, between slashes, are keys, or `[name=x]`: the item of a list with that name, `[=x]`:
 * the item that is this text, `[~x]`: the item that has this text anywhere in it. The empty path is the object.
 */
export interface Mark {
  /** `<Kind>/<name>` */
  readonly object: string;
  readonly at: string;
  readonly put: Put;
}

export const scalar = (expression: string): Put => ({ kind: "scalar", expression });
export const text = (find: string, expression: string): Put => ({ kind: "text", find, expression });
export const inside = (find: string, expression: string): Put => ({ kind: "inside", find, expression });
export const block = (expression: string): Put => ({ kind: "block", expression });
export const when = (condition: string): Put => ({ kind: "when", condition });
export const tail = (...lines: readonly string[]): Put => ({ kind: "tail", lines });
export const item = (...lines: readonly string[]): Put => ({ kind: "item", lines });

/** A key with a map or list from the values, where it is not empty, at the end of a map. */
export const tailKey = (key: string, expression: string): Put =>
  tail(`{{- with ${expression} }}`, `${key}:`, "{{- toYaml . | nindent $NEXT }}", "{{- end }}");

/** Entries of a map or list from the values, where there are any, after the manifest's own. */
export const tailEntries = (expression: string): Put => tail(`{{- with ${expression} }}`, "{{- toYaml . | nindent $HERE }}", "{{- end }}");

/** Steps of a path, in order. Slashes inside of brackets are part of the step; in a key they are written as {@link stepOfKey} does. */
export function stepsOf(path: string): readonly string[] {
  const steps = path === "" ? [] : (path.match(/\[[^\]]*\]|[^/]+/g) ?? []);
  return steps.map((step) => (step.startsWith("[") ? step : step.replaceAll("~1", "/")));
}

/** A key as a step of a path, in the way of a JSON pointer. */
export function stepOfKey(key: string): string {
  return key.replaceAll("/", "~1");
}

/** The key or index that a step means in a value; undefined where it means nothing there. */
export function resolveStep(value: Json, step: string): string | number | undefined {
  if (Array.isArray(value)) {
    const index = value.findIndex((candidate) => isMeant(candidate, step));
    return index < 0 ? undefined : index;
  }
  return typeof value === "object" && value !== null && step in value ? step : undefined;
}

function isMeant(candidate: Json, step: string): boolean {
  const inside = step.slice(1, -1);
  if (inside.startsWith("=")) return candidate === inside.slice(1);
  if (inside.startsWith("~")) return JSON.stringify(candidate).includes(inside.slice(1));
  const [key = "", ...rest] = inside.split("=");
  return typeof candidate === "object" && candidate !== null && (candidate as JsonMap)[key] === rest.join("=");
}
