import { trimSpace } from "../provider-class/go-text.ts";
import { type DataEntry, entryKey, type SecretObjectEntries } from "../secret-data/data-entries.ts";
import { SECRET_DATA_FIELD } from "../secret-data/read-secret-data.ts";
import type { SecretObjectProblem } from "./desired-secret.ts";

/** Returns the field that contains the expression of a key. */
export function expressionField({ secretName = "" }: SecretObjectEntries, entry: DataEntry): string {
  return `${SECRET_DATA_FIELD}[${trimSpace(secretName)}][${entryKey(entry)}]`;
}

/** Returns the problem of the first invalid expression of a secretObject. */
export function expressionViolation(object: SecretObjectEntries): SecretObjectProblem | undefined {
  for (const entry of object.data ?? []) {
    if (entry.expression?.ok !== false) continue;
    const { at, message, hint } = entry.expression.error;
    return { reason: "InvalidClass", field: expressionField(object, entry), message: `at character ${at}: ${message}`, hint };
  }
  return undefined;
}

/** Returns the full path of a field. Expressions are in the parameter, all other fields in the secretObject. */
export function placeOf(index: number, field: string): string {
  return field.startsWith(SECRET_DATA_FIELD) ? field : `spec.secretObjects[${index}].${field}`;
}
