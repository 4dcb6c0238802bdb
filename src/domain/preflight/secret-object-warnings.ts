import { trimSpace } from "../provider-class/go-text.ts";
import type { ClassObject } from "../provider-class/object-rules.ts";
import { quoted } from "../quoted.ts";
import { filesOfEntry, type SecretObjectEntries } from "../secret-data/data-entries.ts";
import { placeOf } from "../secret-objects/expression-problem.ts";
import { madeFiles } from "../secret-objects/made-files.ts";
import { textViolation } from "../secret-objects/rules.ts";
import { type PreflightWarning, preflightWarning } from "./warning.ts";

/** A class may name thousands of objects, and each suggestion compares a name with all of them. */
const MOST_SUGGESTIONS = 5;

/**
 * Warns about Secrets that the worker would never write, or would write differently than the author intends. Takes linear time in the size
 * of the class, because other requests wait for their pods meanwhile.
 */
export function secretObjectWarnings(
  secretObjects: readonly SecretObjectEntries[],
  objects: readonly ClassObject[],
): readonly PreflightWarning[] {
  const firstOfName = firstIndexes(secretObjects);
  const unknownNames = unknownObjects(objects);
  return secretObjects.flatMap((secretObject, index) => {
    const violation = textViolation(secretObject);
    const own =
      violation === undefined
        ? []
        : [
            preflightWarning(
              "InvalidSecretObject",
              `${placeOf(index, violation.field).replace(/^spec\./, "")}: ${violation.message}: ${violation.hint}`,
            ),
          ];
    return [...own, ...sharedName(secretObject, index, firstOfName), ...unknownNames(secretObject, index)];
  });
}

const nameOf = ({ secretName = "" }: SecretObjectEntries): string => trimSpace(secretName);

function firstIndexes(secretObjects: readonly SecretObjectEntries[]): ReadonlyMap<string, number> {
  const first = new Map<string, number>();
  for (const [index, secretObject] of secretObjects.entries()) {
    if (!first.has(nameOf(secretObject))) first.set(nameOf(secretObject), index);
  }
  return first;
}

function sharedName(
  secretObject: SecretObjectEntries,
  index: number,
  firstOfName: ReadonlyMap<string, number>,
): readonly PreflightWarning[] {
  const first = firstOfName.get(nameOf(secretObject));
  if (nameOf(secretObject) === "" || first === index) return [];
  const text = `secretObjects[${index}] names the same Secret as secretObjects[${first}]: merge them; neither is written`;
  return [preflightWarning("InvalidSecretObject", text)];
}

/** Returns a function for one class, to call with each of its secretObjects in order. */
function unknownObjects(
  objects: readonly ClassObject[],
): (secretObject: SecretObjectEntries, index: number) => readonly PreflightWarning[] {
  const made = madeFiles(objects);
  let suggested = 0;
  const fixFor = (name: string): string => {
    suggested += 1;
    const nearest = suggested > MOST_SUGGESTIONS ? undefined : made.nearest(name);
    if (nearest !== undefined) return `did you mean ${quoted(nearest, 30)}?`;
    return made.isEmpty ? "the class has no objects" : "correct it";
  };
  return ({ data }, index) =>
    (data ?? []).flatMap((entry, at) =>
      // Includes the name that the driver would use.
      [...new Set([trimSpace(entry.objectName ?? ""), ...filesOfEntry(entry)])].flatMap((name) => {
        if (name === "" || made.has(name)) return [];
        return [
          preflightWarning(
            "ObjectNotInClass",
            `secretObjects[${index}].data[${at}]: no object produces ${quoted(name, 30)}: ${fixFor(name)}`,
          ),
        ];
      }),
    );
}
