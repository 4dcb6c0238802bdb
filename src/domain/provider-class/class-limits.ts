/**
 * What one class may ask for. One worker serves the classes of all: without limits a class could take its time and memory. Each is several
 * times what real classes have; the page of classes gives the reasons.
 */
import type { SecretObject } from "../kubernetes.ts";
import type { RawObject } from "./objects-yaml.ts";
import type { ClassProblem } from "./problem.ts";

export const MAX_SECRET_OBJECTS = 200;
/** Of all secretObjects together. */
export const MAX_DATA_ENTRIES = 2_000;
export const MAX_OBJECTS = 2_000;
/** Of a name, an alias or a version, in characters: what is longer is none. A path on Linux has as many. */
const MAX_OBJECT_TEXT = 4_096;
/** Objects and the versions of histories together. */
export const MAX_VERSIONS = 2_000;
/** Values of all objects together. The CSI driver takes 4 MiB of a provider by default. */
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
