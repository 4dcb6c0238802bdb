import type { CrdVersion, CustomResourceDefinition, Schema } from "./crd.ts";
import { hasDeletionFailed, isEstablished } from "./crd.ts";

/**
 * State of a live CRD compared with the project's CRD, by the action that it needs. `whole`: serves every field of the project's CRD, so
 * its objects can be trusted. `absent`: apply it. `terminating`: wait, because an apply would succeed and be lost with the object;
 * `hasFailed`: the deletion stays stuck until someone changes the CRD. `damaged`: apply the repaired spec. `settling`: nothing to write,
 * the API server does not serve it yet.
 */
export type CrdDrift =
  | { readonly kind: "whole"; readonly uid: string; readonly generation: number }
  | { readonly kind: "absent" }
  | { readonly kind: "terminating"; readonly hasFailed: boolean }
  | { readonly kind: "damaged"; readonly problem: string }
  | { readonly kind: "settling"; readonly problem: string };

/** Extra versions and fields of a newer driver are not drift, because healing never removes them. */
export function crdDrift(ours: CustomResourceDefinition, live: CustomResourceDefinition | undefined): CrdDrift {
  if (live === undefined) return { kind: "absent" };
  if (live.metadata.deletionTimestamp !== undefined) return { kind: "terminating", hasFailed: hasDeletionFailed(live) };
  const problem = firstProblem(ours.spec.versions, live.spec.versions);
  if (problem !== undefined) return { kind: "damaged", problem };
  if (!isEstablished(live)) return { kind: "settling", problem: "the API server has not established it yet" };
  return { kind: "whole", uid: live.metadata.uid ?? "", generation: live.metadata.generation ?? 0 };
}

/** Whether a CRD from another source lacks fields that the project's CRD has. */
export function lacksFieldsOf(ours: CustomResourceDefinition, other: CustomResourceDefinition): boolean {
  return firstProblem(ours.spec.versions, other.spec.versions) !== undefined;
}

function firstProblem(ours: readonly CrdVersion[], live: readonly CrdVersion[]): string | undefined {
  for (const version of ours) {
    const found = live.find((candidate) => candidate.name === version.name);
    // A newer driver drops a version that is deprecated in the project's CRD. The project does not read that version.
    if (version.deprecated === true && found?.served !== true) continue;
    if (found === undefined) return `version ${version.name} is missing`;
    if (version.served && !found.served) return `version ${version.name} is not served`;
    const problem = problemOfVersion(version, found);
    if (problem !== undefined) return `version ${version.name} ${problem}`;
  }
  return undefined;
}

function problemOfVersion(ours: CrdVersion, live: CrdVersion): string | undefined {
  const missing = missingFields(ours.schema?.openAPIV3Schema, live.schema?.openAPIV3Schema, "");
  if (missing.length > 0) return `lacks the fields ${missing.slice(0, 3).join(", ")}`;
  const defaults = addedDefaults(ours.schema?.openAPIV3Schema, live.schema?.openAPIV3Schema, "");
  if (defaults.length > 0) return `has defaults for the fields ${defaults.slice(0, 3).join(", ")}`;
  const subresource = Object.keys(ours.subresources ?? {}).find((name) => live.subresources?.[name] === undefined);
  return subresource === undefined ? undefined : `lacks the subresource ${subresource}`;
}

/** Returns paths of the project's schema that the live schema would prune, or keep as another type. */
function missingFields(ours: Schema | undefined, live: Schema | undefined, path: string): readonly string[] {
  if (ours === undefined || live?.["x-kubernetes-preserve-unknown-fields"] === true) return [];
  if (live === undefined) return [path === "" ? "(all)" : path];
  if (ours.type !== undefined && live.type !== ours.type) return [path === "" ? "(all)" : path];
  const properties = Object.entries(ours.properties ?? {}).flatMap(([name, schema]) => {
    const open = live.additionalProperties;
    const counterpart = live.properties?.[name] ?? (typeof open === "object" ? open : undefined);
    return missingFields(schema, counterpart, path === "" ? name : `${path}.${name}`);
  });
  const items = ours.items === undefined ? [] : missingFields(ours.items, live.items, `${path}[]`);
  const values = typeof ours.additionalProperties === "object" ? missingValues(ours.additionalProperties, live, path) : [];
  return [...properties, ...items, ...values];
}

function missingValues(ours: Schema, live: Schema, path: string): readonly string[] {
  if (live.additionalProperties === true) return [];
  return missingFields(ours, typeof live.additionalProperties === "object" ? live.additionalProperties : undefined, `${path}.*`);
}

/**
 * Returns paths for which the live schema has a default and the project's schema has none, including paths inside the project's maps: every
 * object then has values that no one wrote. Ignores fields that only a newer driver knows.
 */
function addedDefaults(ours: Schema | undefined, live: Schema | undefined, path: string): readonly string[] {
  if (ours === undefined || live === undefined) return [];
  const own = "default" in live && !("default" in ours) ? [path === "" ? "(all)" : path] : [];
  const isMap = typeof ours.additionalProperties === "object";
  const properties = Object.entries(live.properties ?? {}).flatMap(([name, schema]) =>
    addedDefaults(ours.properties?.[name] ?? (isMap ? {} : undefined), schema, path === "" ? name : `${path}.${name}`),
  );
  return [...own, ...properties, ...addedDefaults(ours.items, live.items, `${path}[]`)];
}
