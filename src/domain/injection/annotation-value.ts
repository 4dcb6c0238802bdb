import type { Denial } from "../admission/reasons.ts";
import { quoted } from "../quoted.ts";
import { failed, ok, type Result } from "../result.ts";

/** Reads one value. The error says what to write instead. */
export type ValueReader<T> = (text: string) => Result<T, string>;

/** `advice` says what to write instead; it follows the key and the value. */
export function invalidAnnotation(key: string, value: string, advice: string): Denial {
  return { reason: "InvalidAnnotation", message: `annotation ${key} is ${quoted(value)}: ${advice}` };
}

/** `a, b,c` as its items; an empty item is a slip of the pen that nobody should have to guess about. */
export function readList(key: string, value: string, advice: string): Result<readonly string[], Denial> {
  const items = value.split(",").map((item) => item.trim());
  if (items.includes("")) return failed(invalidAnnotation(key, value, advice));
  const twice = items.find((item, index) => items.indexOf(item) !== index);
  if (twice !== undefined) return failed(invalidAnnotation(key, value, `it lists ${quoted(twice)} twice, write it once`));
  return ok(items);
}

/** What an annotation says about each class: one value for all of them, or some of them by name. */
export type PerClass<T> =
  | { readonly kind: "all"; readonly value: T }
  | { readonly kind: "named"; readonly byClass: ReadonlyMap<string, T> };

/**
 * Reads `value`, or `class-a=…,class-b=…`. An absolute path may hold `=` and `,` itself, and neither a Secret's nor
 * a volume's name may: so the class form is what has an `=` and does not start with `/`.
 */
export function readPerClass<T>(key: string, value: string, classes: readonly string[], read: ValueReader<T>): Result<PerClass<T>, Denial> {
  if (value.startsWith("/") || !value.includes("=")) {
    const single = read(value);
    return single.ok ? ok({ kind: "all", value: single.value }) : failed(invalidAnnotation(key, value, single.error));
  }
  const byClass = new Map<string, T>();
  for (const item of value.split(",")) {
    const entry = readEntry(item, classes, byClass, read);
    if (!entry.ok) return failed(invalidAnnotation(key, value, entry.error));
    byClass.set(entry.value.className, entry.value.value);
  }
  return ok({ kind: "named", byClass });
}

function readEntry<T>(
  item: string,
  classes: readonly string[],
  seen: ReadonlyMap<string, T>,
  read: ValueReader<T>,
): Result<{ readonly className: string; readonly value: T }, string> {
  const equals = item.indexOf("=");
  if (equals === -1) return failed(`${quoted(item.trim())} names no class, write one value for all or class=value,class=value`);
  const className = item.slice(0, equals).trim();
  if (!classes.includes(className)) return failed(`${quoted(className)} is no class of this pod, write one of ${classes.join(", ")}`);
  if (seen.has(className)) return failed(`it names class ${quoted(className)} twice, write it once`);
  const value = read(item.slice(equals + 1).trim());
  return value.ok ? ok({ className, value: value.value }) : failed(`for class ${quoted(className)}, ${value.error}`);
}
