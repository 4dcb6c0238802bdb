/** Places in a manifest, and the template text that the chart puts there. */

export type Json = string | number | boolean | null | readonly Json[] | JsonMap;
export interface JsonMap {
  readonly [key: string]: Json;
}

/** The template text at a place. Expressions are Go template pipelines, without their braces. */
export type Put =
  /** Replaces a number, a boolean or a whole string. */
  | { readonly kind: "scalar"; readonly expression: string }
  /** Replaces `find` inside a string. */
  | { readonly kind: "text"; readonly find: string; readonly expression: string }
  /** Replaces `find` inside a text of several lines. The expression contains the quotes. */
  | { readonly kind: "inside"; readonly find: string; readonly expression: string }
  /** A map or list from the values, omitted if it is empty. */
  | { readonly kind: "block"; readonly expression: string }
  /** The manifest's own entry, if the condition holds. */
  | { readonly kind: "when"; readonly condition: string }
  /** Additions at the end of a map or list: template lines with the indentation of its entries. */
  | { readonly kind: "tail"; readonly lines: readonly string[] }
  /** Replaces an item of a list. */
  | { readonly kind: "item"; readonly lines: readonly string[] };

/**
 * `at` is a path from the object's root. Its steps, between slashes, are keys, or one of three forms. `[name=x]`: the list item with that
 * name. `[=x]`: the item that is this text. `[~x]`: the item that contains this text anywhere. The empty path is the object.
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

/** A key with a map or list from the values at the end of a map, omitted if it is empty. */
export const tailKey = (key: string, expression: string): Put =>
  tail(`{{- with ${expression} }}`, `${key}:`, "{{- toYaml . | nindent $NEXT }}", "{{- end }}");

/** Entries of a map or list from the values after the manifest's own entries. Omitted if the values have none. */
export const tailEntries = (expression: string): Put => tail(`{{- with ${expression} }}`, "{{- toYaml . | nindent $HERE }}", "{{- end }}");

/** Steps of a path, in order. Slashes inside brackets are part of the step. In a key, {@link stepOfKey} escapes them. */
export function stepsOf(path: string): readonly string[] {
  const steps = path === "" ? [] : (path.match(/\[[^\]]*\]|[^/]+/g) ?? []);
  return steps.map((step) => (step.startsWith("[") ? step : step.replaceAll("~1", "/")));
}

/** Escapes a key as a step of a path, as a JSON pointer does. */
export function stepOfKey(key: string): string {
  return key.replaceAll("/", "~1");
}

/** The key or index in a value to which a step refers. Undefined if the value has no such entry. */
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
