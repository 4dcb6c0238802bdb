/**
 * Limits of one class. One worker serves the classes of all tenants, so without limits one class could take all its time and memory. Each
 * limit is several times the size of real classes. The docs page about classes gives the reasons.
 */
import type { SecretObject } from "../kubernetes.ts";
import type { RawObject } from "./objects-yaml.ts";
import type { ClassProblem } from "./problem.ts";

export const MAX_SECRET_OBJECTS = 200;
/** Maximum number of entries in all secretObjects together. */
export const MAX_DATA_ENTRIES = 2_000;
export const MAX_OBJECTS = 2_000;
/** Maximum length in characters of a name, an alias, or a version. The worker refuses longer ones. A path on Linux has the same limit. */
const MAX_OBJECT_TEXT = 4_096;
/** Maximum number of objects and of the versions in their histories together. */
export const MAX_VERSIONS = 2_000;
/** Maximum size of the values of all objects together. The CSI driver accepts 4 MiB from a provider by default. */
export const MAX_VALUE_BYTES = 8_388_608;

const SPREAD = "spread them over several classes";

function tooMany(field: string, message: string): ClassProblem {
  return { reason: "InvalidClass", message, field, hint: SPREAD, isLimit: true };
}

export function secretObjectsProblem(secretObjects: readonly SecretObject[]): ClassProblem | undefined {
  const count = secretObjects.length;
  if (count > MAX_SECRET_OBJECTS)
    return tooMany("spec.secretObjects", `secretObjects has ${count} entries; a class can have ${MAX_SECRET_OBJECTS}`);
  let entries = 0;
  for (const [index, { data = [] }] of secretObjects.entries()) {
    entries += data.length;
    if (entries > MAX_DATA_ENTRIES)
      return tooMany(
        `spec.secretObjects[${index}].data`,
        `the data of the secretObjects has more than ${MAX_DATA_ENTRIES} entries in total`,
      );
  }
  return undefined;
}

export function objectsProblem(objects: readonly RawObject[]): ClassProblem | undefined {
  const field = "spec.parameters.objects";
  if (objects.length > MAX_OBJECTS) return tooMany(field, `objects has ${objects.length} entries; a class can have ${MAX_OBJECTS}`);
  for (const [index, object] of objects.entries()) {
    const key = (["objectName", "objectAlias", "objectVersion"] as const).find((name) => object[name].length > MAX_OBJECT_TEXT);
    if (key === undefined) continue;
    const message = `${key} has more than ${MAX_OBJECT_TEXT} characters`;
    return { reason: "InvalidClass", message, field: `${field}[${index}].${key}`, hint: "shorten it", isLimit: true };
  }
  return undefined;
}
