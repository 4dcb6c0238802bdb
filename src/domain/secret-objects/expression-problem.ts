import { trimSpace } from "../provider-class/go-text.ts";
import { type DataEntry, entryKey, type SecretObjectEntries } from "../secret-data/data-entries.ts";
import { SECRET_DATA_FIELD } from "../secret-data/read-secret-data.ts";
import type { SecretObjectProblem } from "./desired-secret.ts";

/** Where the expression of a key stands. */
export function expressionField({ secretName = "" }: SecretObjectEntries, entry: DataEntry): string {
  return `${SECRET_DATA_FIELD}[${trimSpace(secretName)}][${entryKey(entry)}]`;
}

/** The first expression of a secretObject that cannot be read. */
export function expressionViolation(object: SecretObjectEntries): SecretObjectProblem | undefined {
  for (const entry of object.data ?? []) {
    if (entry.expression?.ok !== false) continue;
    const { at, message, hint } = entry.expression.error;
    return { reason: "InvalidClass", field: expressionField(object, entry), message: `at character ${at}: ${message}`, hint };
  }
  return undefined;
}

/** What is wrong with an expression stands in the parameter, all else in the secretObject itself. */
export function placeOf(index: number, field: string): string {
  return field.startsWith(SECRET_DATA_FIELD) ? field : `spec.secretObjects[${index}].${field}`;
}
