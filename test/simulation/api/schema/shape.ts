import type { Json } from "../json.ts";

/** What a value is, as far as reading, writing and server-side apply are concerned. */
export type Shape = ScalarShape | AnyShape | MapShape | ListShape | ObjectShape;

export type ScalarKind = "string" | "bool" | "int" | "number" | "bytes" | "time" | "microtime" | "quantity" | "int-or-string";

export interface ScalarShape {
  readonly kind: "scalar";
  readonly scalar: ScalarKind;
}

/** Anything. `isWhole`: owned as one, or each member of an object by itself. */
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
  /** Of `keyed` lists: members that tell items apart. */
  readonly keys: readonly { readonly name: string; readonly fallback?: Json }[];
  readonly items: Shape;
}

export interface ObjectShape {
  readonly kind: "object";
  readonly name: string;
  readonly isAtomic: boolean;
  readonly fields: ReadonlyMap<string, Field>;
  /** Of members that are not among the fields; undefined where there can be none. */
  readonly others: Shape | undefined;
}

export interface Field {
  readonly name: string;
  readonly shape: Shape;
  /** Written also when it is empty. */
  readonly isShown: boolean;
  /** An empty value is not the same as none. */
  readonly isPointer: boolean;
}

export const ANYTHING: AnyShape = { kind: "any", isWhole: false };
export const ANY_WHOLE: AnyShape = { kind: "any", isWhole: true };

export function fieldShape(shape: ObjectShape, name: string): Shape | undefined {
  return shape.fields.get(name)?.shape ?? shape.others;
}
