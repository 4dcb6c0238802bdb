import type { Denial } from "../admission/reasons.ts";
import { POD_ANNOTATIONS } from "../annotations.ts";
import { trimSpace } from "../provider-class/go-text.ts";
import { quoted, quotedPath } from "../quoted.ts";
import { failed, ok, type Result } from "../result.ts";
import type { Annotation } from "./effective-annotations.ts";
import { denial, fill, PROBLEMS } from "./messages.ts";

/** Reads one value. The error says what to write instead. */
export type ValueReader<T> = (text: string) => Result<T, string>;

/** `problem` says what to write instead; it follows the key, where it stands, and the value. */
export function invalidAnnotation({ key, subject, text }: Annotation, problem: string): Denial {
  const value = key === POD_ANNOTATIONS.mountPath ? quotedPath(text) : quoted(text);
  return denial("invalid", { annotation: subject, value, problem });
}

/**
 * `a, b,c` as its items, trimmed as the final check's policy trims them: in Go. An empty item is a slip of the pen that nobody should
 * have to guess about.
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

/** `"true"` or `"false"`; absent is false. */
export function readFlag(annotation: Annotation | undefined): Result<boolean, Denial> {
  if (annotation === undefined || annotation.text === "false") return ok(false);
  return annotation.text === "true" ? ok(true) : failed(invalidAnnotation(annotation, PROBLEMS.flag));
}

/** What an annotation says about each class: one value for all of them, or some of them by name. */
export type PerClass<T> =
  | { readonly kind: "all"; readonly value: T }
  | { readonly kind: "named"; readonly byClass: ReadonlyMap<string, T> };

/** A path: it may hold `=` and `,` itself, which neither a Secret's nor a volume's name may. */
export const STARTS_LIKE_A_PATH = /^([/\\]|[a-zA-Z]:)/;

/**
 * Reads `value`, or `class-a=…,class-b=…`. A default of the Namespace may name classes that this pod does not mount,
 * since it stands there for other pods too.
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
