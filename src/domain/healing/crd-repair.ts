import type { CrdVersion, CustomResourceDefinition, Schema } from "./crd.ts";

/**
 * Returns the object to apply so that the live CRD is whole again. For the API server, `spec.versions` is one atomic list, so the result
 * keeps versions and fields that only the live CRD has, from a newer driver.
 */
export function repairedCrd(ours: CustomResourceDefinition, live: CustomResourceDefinition | undefined): CustomResourceDefinition {
  if (live === undefined) return ours;
  const repaired = ours.spec.versions.map((version) =>
    mergeVersion(
      version,
      live.spec.versions.find((candidate) => candidate.name === version.name),
    ),
  );
  const newer = live.spec.versions.filter((candidate) => !ours.spec.versions.some((version) => version.name === candidate.name));
  const storesNewer = newer.some((version) => version.storage);
  const versions = [...repaired.map((version) => (storesNewer ? { ...version, storage: false } : version)), ...newer];
  const { uid, resourceVersion } = live.metadata;
  return {
    ...ours,
    // Preconditions: if the CRD was changed or replaced since the read, the API server rejects the write, and the worker reads it again.
    metadata: { ...ours.metadata, ...(uid === undefined ? {} : { uid }), ...(resourceVersion === undefined ? {} : { resourceVersion }) },
    spec: { ...ours.spec, versions },
  };
}

function mergeVersion(ours: CrdVersion, live: CrdVersion | undefined): CrdVersion {
  if (live === undefined) return ours;
  const schema = mergeSchema(ours.schema?.openAPIV3Schema, live.schema?.openAPIV3Schema);
  return { ...live, ...ours, ...(schema === undefined ? {} : { schema: { ...live.schema, openAPIV3Schema: schema } }) };
}

/**
 * Merges two schemas: the project's value takes precedence, and properties are united. If the project's schema is a map, it names no
 * properties. Defaults for the project's fields come only from the project's schema.
 */
function mergeSchema(ours: Schema | undefined, live: Schema | undefined): Schema | undefined {
  if (ours === undefined) return live;
  if (live === undefined || (ours.type !== undefined && live.type !== ours.type)) return ours;
  const items = mergeSchema(ours.items, live.items);
  const { default: _default, properties: _properties, ...rest } = live;
  return {
    ...rest,
    ...ours,
    ...(typeof ours.additionalProperties === "object" || (ours.properties === undefined && live.properties === undefined)
      ? {}
      : { properties: mergeProperties(ours.properties, live.properties) }),
    ...(items === undefined ? {} : { items }),
  };
}

function mergeProperties(ours: Schema["properties"] = {}, live: Schema["properties"] = {}): Readonly<Record<string, Schema>> {
  const names = new Set([...Object.keys(ours), ...Object.keys(live)]);
  return Object.fromEntries(
    [...names].flatMap((name) => {
      const merged = mergeSchema(ours[name], live[name]);
      return merged === undefined ? [] : [[name, merged]];
    }),
  );
}
