/** Steps 9 to 12 of the provider's checks, and warnings about settings that the provider accepts without a message. */
import { failed, ok, type Result } from "../result.ts";
import { trimSpace } from "./go-text.ts";
import { type ClassObject, objectViolation } from "./object-rules.ts";
import { parseObjectEntry, parseObjectsArray, type RawObject } from "./objects-yaml.ts";
import type { ClassProblem, ClassWarning } from "./problem.ts";

const FIELD = "spec.parameters.objects";

function invalid(message: string, field: string, hint: string): { readonly ok: false; readonly error: ClassProblem } {
  return failed({ reason: "InvalidObject", message, field, hint });
}

const LIST_HINT = "write YAML with the key array, holding a list of block texts: each entry starts with '- |'";
const ENTRY_HINT = "write the entry as YAML, one 'key: value' per line, each key once";

export function readObjects(text: string): Result<readonly RawObject[], ClassProblem> {
  const trimmed = trimSpace(text);
  if (trimmed === "") return invalid("objects is not set", FIELD, LIST_HINT);
  const entries = parseObjectsArray(trimmed);
  if (!entries.ok) return invalid(`failed to yaml unmarshal objects, error: ${entries.error}`, FIELD, LIST_HINT);
  const objects: RawObject[] = [];
  for (const [index, entry] of entries.value.entries()) {
    const raw = parseObjectEntry(entry);
    if (!raw.ok) {
      return invalid(`unmarshal failed for keyVaultObjects at index ${index}, error: ${raw.error}`, `${FIELD}[${index}]`, ENTRY_HINT);
    }
    const problem = objectViolation(raw.value, index);
    if (problem) return failed(problem);
    objects.push(raw.value);
  }
  return ok(objects);
}

/** The problem of a class that parses but has no objects. Every mount of it fails. */
export const NO_OBJECTS: ClassProblem = {
  reason: "InvalidObject",
  message: "no objects: a mount of this class fails with 'missing object versions'",
  field: FIELD,
  hint: LIST_HINT,
};

export function warningsOf(objects: readonly ClassObject[]): readonly ClassWarning[] {
  const warnings: ClassWarning[] = [];
  const paths = new Map<string, number>();
  if (objects.length === 0) warnings.push({ message: NO_OBJECTS.message, field: NO_OBJECTS.field });
  for (const [index, object] of objects.entries()) {
    const field = `${FIELD}[${index}]`;
    const earlier = paths.get(object.path);
    if (earlier !== undefined) {
      warnings.push({ message: `objects ${earlier} and ${index} have the same file name ${object.path}: the later one wins`, field });
    }
    paths.set(object.path, index);
    if (object.history > 1) {
      warnings.push({
        message: `objectVersionHistory ${object.history} gives up to ${object.history + 1} versions, as with the Azure provider`,
        field: `${field}.objectVersionHistory`,
      });
    }
    if (!hasReadablePermission(object)) {
      warnings.push({
        message: `filePermission ${object.filePermission} is not an octal number: the file gets mode 0`,
        field: `${field}.filePermission`,
      });
    }
  }
  return warnings;
}

const OCTAL = /^[-+]?[0-7]+$/;
const MIN_INT32 = -(2 ** 31);
const MAX_INT32 = 2 ** 31 - 1;

/** Returns undefined if the text is not an octal number of 32 bits. The provider then reports nothing, and gives the file mode 0. */
function parsed(text: string): number | undefined {
  const value = OCTAL.test(text) ? Number.parseInt(text, 8) : Number.NaN;
  return value >= MIN_INT32 && value <= MAX_INT32 ? value : undefined;
}

export function hasReadablePermission({ filePermission }: ClassObject): boolean {
  return filePermission === "" || parsed(filePermission) !== undefined;
}
