/** Values of a document during reading: those of JSON, and those that JSON cannot represent. */
import { DocumentError } from "./document-error.ts";
import type { ScalarValue } from "./yaml-scalar.ts";

/** A value that JSON cannot represent. It is an error only if it remains at the end: a second key of the same name may replace it. */
export class NoJson {
  readonly error: DocumentError;

  constructor(line: number, message: string) {
    this.error = new DocumentError(line, message);
  }
}

/** Every key is an own property, including `__proto__`. */
export interface JsonMembers {
  [key: string]: Value;
}
export type Value = ScalarValue | JsonMembers | Value[] | NoJson;

export function isMembers(value: Value): value is JsonMembers {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof NoJson);
}

export function setMember(members: JsonMembers, key: string, value: Value): void {
  if (key === "__proto__") Object.defineProperty(members, key, { value, enumerable: true, configurable: true, writable: true });
  else members[key] = value;
}

/** Throws the first error that remains. Visits each value once, because aliases share values. */
export function refuseNoJson(root: Value | undefined): void {
  const seen = new Set<Value | undefined>([root]);
  for (const value of seen) {
    if (value instanceof NoJson) throw value.error;
    if (typeof value === "object" && value !== null) for (const inner of Object.values(value)) seen.add(inner);
  }
}
