import type { Denial } from "../admission/reasons.ts";
import { POD_ANNOTATIONS } from "../annotations.ts";
import { trimSpace } from "../provider-class/go-text.ts";
import { quoted, quotedPath } from "../quoted.ts";
import { failed, ok, type Result } from "../result.ts";
import type { Annotation } from "./effective-annotations.ts";
import { denial, fill, PROBLEMS } from "./messages.ts";

/** Reads one value. The error explains what to write instead. */
export type ValueReader<T> = (text: string) => Result<T, string>;

/** Returns the denial for an invalid value. `problem` explains what to write instead; it follows the key, its place, and the value. */
export function invalidAnnotation({ key, subject, text }: Annotation, problem: string): Denial {
  const value = key === POD_ANNOTATIONS.mountPath ? quotedPath(text) : quoted(text);
  return denial("invalid", { annotation: subject, value, problem });
}

/**
 * Splits `a, b,c` into its items, trimmed as Go does it, because the policy of the final check trims them that way. An empty item is
 * probably a typo, so it is an error.
 */
export function readList(annotation: Annotation, advice: string): Result<readonly string[], Denial> {
  const items = annotation.text.split(",").map(trimSpace);
  if (items.includes("")) return failed(invalidAnnotation(annotation, advice));
  const seen = new Set<string>();
  for (const item of items) {
    if (seen.has(item)) return failed(invalidAnnotation(annotation, fill(PROBLEMS.listedTwice, { item: quoted(item) })));
    seen.add(item);
  }
  return ok(items);
}

/** Reads `"true"` or `"false"`; absent means false. */
export function readFlag(annotation: Annotation | undefined): Result<boolean, Denial> {
  if (annotation === undefined || annotation.text === "false") return ok(false);
  return annotation.text === "true" ? ok(true) : failed(invalidAnnotation(annotation, PROBLEMS.flag));
}

/** Values of an annotation for each class: one value for all of them, or values for named classes. */
export type PerClass<T> =
  | { readonly kind: "all"; readonly value: T }
  | { readonly kind: "named"; readonly byClass: ReadonlyMap<string, T> };

/** Start of a path. A path can contain `=` and `,`; names of Secrets and volumes cannot. */
export const STARTS_LIKE_A_PATH = /^([/\\]|[a-zA-Z]:)/;

/**
 * Reads `value`, or `class-a=…,class-b=…`. A default of the Namespace can name classes that this pod does not mount, because it also
 * applies to other pods.
 */
export function readPerClass<T>(annotation: Annotation, classes: readonly string[], read: ValueReader<T>): Result<PerClass<T>, Denial> {
  const text = trimSpace(annotation.text);
  if (STARTS_LIKE_A_PATH.test(text) || !text.includes("=")) {
    const single = read(text);
    return single.ok ? ok({ kind: "all", value: single.value }) : failed(invalidAnnotation(annotation, single.error));
  }
  const byClass = new Map<string, T>();
  for (const item of text.split(",")) {
    const entry = readEntry(item, read);
    const problem = entry.ok ? entryProblem(entry.value.className, classes, byClass, annotation) : entry.error;
    if (problem !== undefined) return failed(invalidAnnotation(annotation, problem));
    if (entry.ok) byClass.set(entry.value.className, entry.value.value);
  }
  return ok({ kind: "named", byClass });
}

function readEntry<T>(item: string, read: ValueReader<T>): Result<{ readonly className: string; readonly value: T }, string> {
  const equals = item.indexOf("=");
  if (equals === -1) return failed(fill(PROBLEMS.itemWithoutClass, { item: quoted(trimSpace(item)) }));
  const className = trimSpace(item.slice(0, equals));
  const value = read(trimSpace(item.slice(equals + 1)));
  return value.ok
    ? ok({ className, value: value.value })
    : failed(fill(PROBLEMS.forClass, { class: quoted(className), problem: value.error }));
}

function entryProblem(
  className: string,
  classes: readonly string[],
  seen: ReadonlyMap<string, unknown>,
  { isDefault }: Annotation,
): string | undefined {
  if (seen.has(className)) return fill(PROBLEMS.classTwice, { class: quoted(className) });
  if (isDefault || classes.includes(className)) return undefined;
  return fill(PROBLEMS.foreignClass, { class: quoted(className), classes: classes.join(", ") });
}
