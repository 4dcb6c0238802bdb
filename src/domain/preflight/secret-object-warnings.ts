import { makesFile } from "../content/version-history.ts";
import type { SecretObject } from "../kubernetes.ts";
import { trimSpace } from "../provider-class/go-text.ts";
import type { ClassObject } from "../provider-class/object-rules.ts";
import { quoted } from "../quoted.ts";
import { driverViolation, furtherViolation } from "../secret-objects/rules.ts";
import { nearestName } from "../spelling.ts";
import { type PreflightWarning, warning } from "./warning.ts";

/** Secrets that would never be written, or not as asked. */
export function secretObjectWarnings(secretObjects: readonly SecretObject[], objects: readonly ClassObject[]): readonly PreflightWarning[] {
  return secretObjects.flatMap((secretObject, index) => {
    const violation = driverViolation(secretObject) ?? furtherViolation(secretObject);
    const own =
      violation === undefined
        ? []
        : [warning("InvalidSecretObject", `secretObjects[${index}].${violation.field}: ${violation.message}: ${violation.hint}`)];
    return [...own, ...sharedName(secretObjects, index), ...unknownObjects(secretObject, index, objects)];
  });
}

function sharedName(secretObjects: readonly SecretObject[], index: number): readonly PreflightWarning[] {
  const nameAt = (at: number): string => trimSpace(secretObjects[at]?.secretName ?? "");
  const first = secretObjects.findIndex((_, at) => nameAt(at) === nameAt(index));
  if (nameAt(index) === "" || first === index) return [];
  const text = `secretObjects[${index}] names the same Secret as secretObjects[${first}]: merge them, neither is written`;
  return [warning("InvalidSecretObject", text)];
}

function unknownObjects(secretObject: SecretObject, index: number, objects: readonly ClassObject[]): readonly PreflightWarning[] {
  const files = objects.map(({ path }) => path);
  return (secretObject.data ?? []).flatMap(({ objectName = "" }, at) => {
    const name = trimSpace(objectName);
    if (name === "" || objects.some((object) => makesFile(object, name))) return [];
    const nearest = nearestName(name, files);
    const fix = nearest === undefined ? "the class has no objects" : `did you mean ${quoted(nearest, 30)}?`;
    return [warning("ObjectNotInClass", `secretObjects[${index}].data[${at}]: no object makes ${quoted(name, 30)}: ${fix}`)];
  });
}
