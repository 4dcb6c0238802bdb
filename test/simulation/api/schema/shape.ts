import type { Json } from "../json.ts";

/** Type of a value, as far as decoding, encoding, and server-side apply need it. */
export type Shape = ScalarShape | AnyShape | MapShape | ListShape | ObjectShape;

export type ScalarKind = "string" | "bool" | "int" | "number" | "bytes" | "time" | "microtime" | "quantity" | "int-or-string";

export interface ScalarShape {
  readonly kind: "scalar";
  readonly scalar: ScalarKind;
}

/** Any value. `isWhole`: whether managers own it as one, or each member of an object separately. */
export interface AnyShape {
  readonly kind: "any";
  readonly isWhole: boolean;
}

export interface MapShape {
  readonly kind: "map";
  readonly isAtomic: boolean;
  readonly values: Shape;
}

export interface ListShape {
  readonly kind: "list";
  readonly merges: "atomic" | "set" | "keyed";
  /** Members that identify the items of a `keyed` list. */
  readonly keys: readonly { readonly name: string; readonly fallback?: Json }[];
  readonly items: Shape;
}

export interface ObjectShape {
  readonly kind: "object";
  readonly name: string;
  readonly isAtomic: boolean;
  readonly fields: ReadonlyMap<string, Field>;
  /** Shape of members that are not among the fields; undefined if there can be none. */
  readonly others: Shape | undefined;
}

export interface Field {
  readonly name: string;
  readonly shape: Shape;
  /** Whether the field is written even if it is empty. */
  readonly isShown: boolean;
  /** Whether an empty value differs from a missing one. */
  readonly isPointer: boolean;
}

export const ANYTHING: AnyShape = { kind: "any", isWhole: false };
export const ANY_WHOLE: AnyShape = { kind: "any", isWhole: true };

export function fieldShape(shape: ObjectShape, name: string): Shape | undefined {
  return shape.fields.get(name)?.shape ?? shape.others;
}
