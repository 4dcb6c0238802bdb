import type { CrdVersion, CustomResourceDefinition, Schema } from "./crd.ts";

/**
 * The object to apply so that the live CRD is whole again. `spec.versions` is one atomic list for the API server, so
 * versions and fields that only the live CRD has (a newer driver's) are carried over instead of lost.
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
    // Preconditions: a CRD that was changed or replaced since it was read is looked at anew instead of overwritten.
    metadata: { ...ours.metadata, ...(uid === undefined ? {} : { uid }), ...(resourceVersion === undefined ? {} : { resourceVersion }) },
    spec: { ...ours.spec, versions },
  };
}

function mergeVersion(ours: CrdVersion, live: CrdVersion | undefined): CrdVersion {
  if (live === undefined) return ours;
  const schema = mergeSchema(ours.schema?.openAPIV3Schema, live.schema?.openAPIV3Schema);
  return { ...live, ...ours, ...(schema === undefined ? {} : { schema: { ...live.schema, openAPIV3Schema: schema } }) };
}

/** Ours where both have a say, the union of properties. A map of ours names none, and only ours has defaults for what is ours. */
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
