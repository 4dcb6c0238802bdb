import { isList, isObject, type Json } from "../json.ts";
import type { Cause } from "../refusal.ts";

/** Causes for single fields, with the messages of the API server. */

export function invalidValue(field: string, value: Json | undefined, why: string): Cause {
  return { reason: "FieldValueInvalid", message: `Invalid value: ${shown(value)}: ${why}`, field };
}

export function wrongType(field: string, value: Json | undefined, why: string): Cause {
  return { reason: "FieldValueTypeInvalid", message: `Invalid value: ${shown(value)}: ${why}`, field };
}

export function required(field: string, why = ""): Cause {
  return { reason: "FieldValueRequired", message: why === "" ? "Required value" : `Required value: ${why}`, field };
}

export function duplicate(field: string, value: Json): Cause {
  return { reason: "FieldValueDuplicate", message: `Duplicate value: ${shown(value)}`, field };
}

export function forbiddenField(field: string, why: string): Cause {
  return { reason: "FieldValueForbidden", message: `Forbidden: ${why}`, field };
}

export function unsupported(field: string, value: Json, supported: readonly string[]): Cause {
  const listed = supported.map((word) => JSON.stringify(word)).join(", ");
  return { reason: "FieldValueNotSupported", message: `Unsupported value: ${shown(value)}: supported values: ${listed}`, field };
}

export function tooLong(field: string, most: number): Cause {
  return { reason: "FieldValueTooLong", message: `Too long: may not be more than ${most} bytes`, field };
}

function shown(value: Json | undefined): string {
  if (value === undefined || value === null) return "null";
  return isObject(value) || isList(value) || typeof value === "string" ? JSON.stringify(value) : String(value);
}

export const IMMUTABLE = "field is immutable";
