import { isList, isObject, type Json } from "../json.ts";
import type { ListShape, ObjectShape, ScalarShape, Shape } from "../schema/shape.ts";
import { elementText, itemElement } from "./path-element.ts";

/** Why an object cannot be applied: unknown fields, values of another type, items that cannot be told apart. */
export function validateApplied(shape: Shape, value: Json, allowsTwins = false): readonly string[] {
  const problems = problemsAt(shape, value, "");
  return allowsTwins ? problems.filter((problem) => !problem.includes(TWINS)) : problems;
}

const TWINS = "duplicate entries for key";

function problemsAt(shape: Shape, value: Json, path: string): readonly string[] {
  if (value === null) return [];
  switch (shape.kind) {
    case "any":
      return [];
    case "scalar":
      return scalarProblems(shape, value, path);
    case "list":
      return isList(value) ? itemProblems(shape, value, path) : [reported(path, `expected list, got ${shown(value)}`)];
    case "map":
      if (!isObject(value)) return [reported(path, `expected map, got ${shown(value)}`)];
      return Object.entries(value).flatMap(([name, member]) => problemsAt(shape.values, member, `${path}.${name}`));
    case "object":
      return isObject(value) ? memberProblems(shape, value, path) : [reported(path, `expected map, got ${shown(value)}`)];
  }
}

/** Nothing more is said once there is an unknown field: Go's walk stops there. */
function memberProblems(shape: ObjectShape, value: { readonly [name: string]: Json }, path: string): readonly string[] {
  return Object.entries(value).flatMap(([name, member]) => {
    const inner = shape.fields.get(name)?.shape ?? shape.others;
    return inner === undefined
      ? [reported(`${path}.${name}`, "field not declared in schema")]
      : problemsAt(inner, member, `${path}.${name}`);
  });
}

function itemProblems(list: ListShape, items: readonly Json[], path: string): readonly string[] {
  const seen = new Set<string>();
  return items.flatMap((item, index) => {
    if (list.merges === "atomic") return problemsAt(list.items, item, `${path}[${index}]`);
    const named = itemElement(list, item);
    if ("error" in named) return [reported(path, `element ${index}: ${named.error}`)];
    const isTwin = seen.has(named.element);
    seen.add(named.element);
    const at = elementText(named.element);
    return [...(isTwin ? [reported(path, `${TWINS} ${at}`)] : []), ...problemsAt(list.items, item, `${path}${at}`)];
  });
}

function scalarProblems({ scalar }: ScalarShape, value: Json, path: string): readonly string[] {
  switch (scalar) {
    case "string":
    case "bytes":
      return typeof value === "string" ? [] : [reported(path, `expected string, got ${goValue(value)}`)];
    case "int":
    case "number":
      return typeof value === "number" ? [] : [reported(path, `expected numeric (int or float), got ${goType(value)}`)];
    case "bool":
      return typeof value === "boolean" ? [] : [reported(path, `expected boolean, got ${goValue(value)}`)];
    case "time":
    case "microtime":
    case "quantity":
    case "int-or-string":
      return isObject(value) || isList(value) ? [reported(path, `expected any scalar, got ${goValue(value)}`)] : [];
  }
}

function reported(path: string, problem: string): string {
  return path === "" ? problem : `${path}: ${problem}`;
}

function shown(value: Json): string {
  return `&{${isObject(value) || isList(value) ? JSON.stringify(value) : String(value)}}`;
}

function goValue(value: Json): string {
  return `&value.valueUnstructured{Value:${JSON.stringify(value)}}`;
}

function goType(value: Json): string {
  return typeof value === "boolean"
    ? "bool"
    : isList(value)
      ? "[]interface {}"
      : isObject(value)
        ? "map[string]interface {}"
        : typeof value;
}
