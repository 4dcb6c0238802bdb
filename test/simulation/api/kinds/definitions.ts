import { isObject, type Json, type JsonObject, listAt, objectAt, stringAt } from "../json.ts";
import type { Cause } from "../refusal.ts";
import { IMMUTABLE, invalidValue, required } from "../validation/cause.ts";

/** Preparation and validation of a CustomResourceDefinition by the API server, without its controllers. */

export function prepareDefinition(crd: JsonObject): JsonObject {
  return withStoredVersion({ ...crd, status: { conditions: null, acceptedNames: { plural: "", kind: "" }, storedVersions: [] } });
}

export function prepareDefinitionChange(crd: JsonObject): JsonObject {
  return withStoredVersion(crd);
}

/** Adds the storage version to the versions in which objects were ever stored. */
function withStoredVersion(crd: JsonObject): JsonObject {
  const status = objectAt(crd, "status");
  const stored = listAt(status, "storedVersions");
  const storing = listAt(objectAt(crd, "spec"), "versions").find((version) => isObject(version) && version["storage"] === true);
  const name = isObject(storing) ? stringAt(storing, "name") : undefined;
  return name === undefined || stored.includes(name) ? crd : { ...crd, status: { ...status, storedVersions: [...stored, name] } };
}

export function definitionNameCauses(crd: JsonObject): readonly Cause[] {
  const spec = objectAt(crd, "spec");
  const wanted = `${stringAt(objectAt(spec, "names"), "plural") ?? ""}.${stringAt(spec, "group") ?? ""}`;
  const name = stringAt(objectAt(crd, "metadata"), "name") ?? "";
  return name === wanted ? [] : [invalidValue("metadata.name", name, `must be spec.names.plural+"."+spec.group`)];
}

/** Refuses changes of the group and the plural. Once the CRD is established, also of the kind and the scope. */
export function definitionChangeCauses(crd: JsonObject, old: JsonObject): readonly Cause[] {
  const conditions = listAt(objectAt(old, "status"), "conditions").filter(isObject);
  const isEstablished = conditions.some(({ type, status }) => type === "Established" && status === "True");
  const fields = isEstablished ? ["scope", "names.kind", "group", "names.plural"] : ["group", "names.plural"];
  return fields.flatMap((field) => {
    const [value, before] = [crd, old].map((one) =>
      field.split(".").reduce<Json>((at, name) => objectIn(at)[name] ?? "", one["spec"] ?? {}),
    );
    return value === before ? [] : [invalidValue(`spec.${field}`, value, IMMUTABLE)];
  });
}

function objectIn(value: Json): JsonObject {
  return isObject(value) ? value : {};
}

export function definitionCauses(crd: JsonObject): readonly Cause[] {
  const spec = objectAt(crd, "spec");
  const versions = listAt(spec, "versions").filter(isObject);
  const storing = versions.filter((version) => version["storage"] === true);
  return [
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
