/** Values of a document while it is read: those of JSON, and what JSON has no form for. */
import { DocumentError } from "./document-error.ts";
import type { ScalarValue } from "./yaml-scalar.ts";

/** What JSON has no form for. Only an error if it is still there at the end: a second key of the same name may replace it. */
export class NoJson {
  readonly error: DocumentError;

  constructor(line: number, message: string) {
    this.error = new DocumentError(line, message);
  }
}

/** Every key is an own property, `__proto__` too. */
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

/** Throws the mistake that is left. Aliases share what they stand for: each is looked at once. */
export function refuseNoJson(root: Value | undefined): void {
  const seen = new Set<Value | undefined>([root]);
  for (const value of seen) {
    if (value instanceof NoJson) throw value.error;
    if (typeof value === "object" && value !== null) for (const inner of Object.values(value)) seen.add(inner);
  }
}
