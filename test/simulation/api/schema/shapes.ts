import { readFileSync } from "node:fs";
import path from "node:path";
import { ANY_WHOLE, type Field, type ListShape, type ObjectShape, type ScalarKind, type Shape } from "./shape.ts";

/**
 * The built-in kinds from `shapes.txt`, which `test/control-plane/shapes` prints. Each line contains a type and its fields.
 * A field is `name=shape`, with `*` for a pointer and `!` if it is written when empty. `@=atomic` marks a type that managers own as one.
 */
const lines = new Map(
  readFileSync(path.join(import.meta.dirname, "shapes.txt"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => {
      const [name = "", ...fields] = line.split(" ");
      return [name, fields] as const;
    }),
);

const shapes = new Map<string, ObjectShape>();

const SCALARS: ReadonlySet<string> = new Set<ScalarKind>([
  "string",
  "bool",
  "int",
  "number",
  "bytes",
  "time",
  "microtime",
  "quantity",
  "int-or-string",
]);

export const SHAPE_NAMES: readonly string[] = [...lines.keys()];

/** Returns the shape of a type such as `core.Secret`. Throws if the table lacks the type. */
export function shapeNamed(name: string): ObjectShape {
  const known = shapes.get(name);
  if (known !== undefined) return known;
  const tokens = lines.get(name);
  if (tokens === undefined) throw new Error(`shapes.txt has no type ${name}`);
  const fields = new Map<string, Field>();
  const shape: ObjectShape = { kind: "object", name, isAtomic: tokens[0] === "@=atomic", fields, others: undefined };
  // Set before the fields are read, because types contain themselves.
  shapes.set(name, shape);
  for (const token of tokens) {
    const [field, text = ""] = splitOnce(token, "=");
    if (field !== "@") fields.set(field, fieldFrom(field, text));
  }
  return shape;
}

function fieldFrom(name: string, text: string): Field {
  const isShown = text.endsWith("!");
  const rest = isShown ? text.slice(0, -1) : text;
  const isPointer = rest.endsWith("*");
  return { name, shape: shapeFrom(isPointer ? rest.slice(0, -1) : rest), isShown, isPointer };
}

function shapeFrom(text: string): Shape {
  if (text === "any") return ANY_WHOLE;
  if (SCALARS.has(text)) return { kind: "scalar", scalar: text as ScalarKind }; // Just checked.
  const [container, inner] = splitOnce(text, ":");
  if (inner === undefined) return shapeNamed(text);
  if (container === "map" || container === "atomic-map")
    return { kind: "map", isAtomic: container === "atomic-map", values: shapeFrom(inner) };
  return { kind: "list", ...mergingOf(container), items: shapeFrom(inner) };
}

function mergingOf(container: string): Pick<ListShape, "merges" | "keys"> {
  if (container === "list") return { merges: "atomic", keys: [] };
  if (container === "set") return { merges: "set", keys: [] };
  const keys = container.slice("keyed(".length, -1).split(",");
  return { merges: "keyed", keys: keys.map(keyFrom) };
}

function keyFrom(text: string): ListShape["keys"][number] {
  const [name, fallback] = splitOnce(text, "=");
  if (fallback === undefined) return { name };
  return { name, fallback: /^\d+$/.test(fallback) ? Number(fallback) : fallback };
}

function splitOnce(text: string, separator: string): readonly [string, string?] {
  const at = text.indexOf(separator);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}
