import { isObject, type JsonObject, listAt, objectAt, stringAt } from "../json.ts";
import type { Cause } from "../refusal.ts";
import { invalidValue, required } from "../validation/cause.ts";

/** What the API server makes of a CustomResourceDefinition, its controllers aside. */

export function prepareDefinition(crd: JsonObject): JsonObject {
  return withStoredVersion({ ...crd, status: { conditions: null, acceptedNames: { plural: "", kind: "" }, storedVersions: [] } });
}

export function prepareDefinitionChange(crd: JsonObject): JsonObject {
  return withStoredVersion(crd);
}

/** Versions that objects were ever stored in. */
function withStoredVersion(crd: JsonObject): JsonObject {
  const status = objectAt(crd, "status");
  const stored = listAt(status, "storedVersions");
  const storing = listAt(objectAt(crd, "spec"), "versions").find((version) => isObject(version) && version["storage"] === true);
  const name = isObject(storing) ? stringAt(storing, "name") : undefined;
  return name === undefined || stored.includes(name) ? crd : { ...crd, status: { ...status, storedVersions: [...stored, name] } };
}

export function definitionCauses(crd: JsonObject): readonly Cause[] {
  const spec = objectAt(crd, "spec");
  const names = objectAt(spec, "names");
  const versions = listAt(spec, "versions").filter(isObject);
  const wanted = `${stringAt(names, "plural") ?? ""}.${stringAt(spec, "group") ?? ""}`;
  const name = stringAt(objectAt(crd, "metadata"), "name") ?? "";
  const storing = versions.filter((version) => version["storage"] === true);
  return [
    ...(name === wanted ? [] : [invalidValue("metadata.name", name, `must be spec.names.plural+"."+spec.group`)]),
    ...(storing.length === 1
      ? []
      : [invalidValue("spec.versions", listAt(spec, "versions"), "must have exactly one version marked as storage version")]),
    ...versions.flatMap((version, index) =>
      isObject(objectAt(version, "schema")["openAPIV3Schema"])
        ? []
        : [required(`spec.versions[${index}].schema.openAPIV3Schema`, "schemas are required")],
    ),
  ];
}
