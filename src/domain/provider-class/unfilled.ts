/** Finds placeholders from documentation that are still in a class. The provider checks only some of them, and stops at the first. */
import { isPlaceholder } from "../placeholder.ts";
import type { IdentityMode } from "./identity-mode.ts";
import type { RawObject } from "./objects-yaml.ts";
import type { ClassParameters } from "./parameters.ts";
import type { ClassProblem } from "./problem.ts";

export interface Unfilled {
  /** Without `spec.parameters.`. */
  readonly field: string;
  readonly value: string;
}

/** Returns the identity's id if it is a placeholder; undefined if it is not, or if the identity has no id. */
export function unfilledIdentity(identity: IdentityMode): Unfilled | undefined {
  const value = "clientId" in identity ? (identity.clientId ?? "") : "";
  const field = identity.kind === "managedIdentity" ? "userAssignedIdentityID" : "clientID";
  return isPlaceholder(value) ? { field, value } : undefined;
}

/**
 * Returns all placeholders in the order in which people write the fields. Ignores the tenant of a managed identity, whose token does not
 * depend on it.
 */
function unfilledIn({ vaultName, tenantId, identity }: ClassParameters, objects: readonly RawObject[]): readonly Unfilled[] {
  const ofIdentity = unfilledIdentity(identity);
  const all = [
    { field: "keyvaultName", value: vaultName },
    ...(identity.kind === "managedIdentity" ? [] : [{ field: "tenantID", value: tenantId }]),
    ...(ofIdentity === undefined ? [] : [ofIdentity]),
    ...objects.flatMap(({ objectName, objectVersion }, index) => [
      { field: `objects[${index}].objectName`, value: objectName },
      { field: `objects[${index}].objectVersion`, value: objectVersion },
    ]),
  ];
  return all.filter(({ value }) => isPlaceholder(value));
}

/** Maximum number of placeholders to report: as many as people read at a glance. A class may name thousands of objects. */
const MOST_REPORTED = 6;

/**
 * Adds the other placeholders of the class to the hint. Otherwise, the author would learn of each one only after filling in the one before.
 */
export function withUnfilled(problem: ClassProblem, parameters: ClassParameters, objects: readonly RawObject[]): ClassProblem {
  const others = unfilledIn(parameters, objects).filter(({ field }) => problem.field !== `spec.parameters.${field}`);
  if (others.length === 0) return problem;
  const reported = others.slice(0, MOST_REPORTED).map(({ field, value }) => `${value.trim()} in ${field}`);
  const more = others.length > MOST_REPORTED ? ` and ${others.length - MOST_REPORTED} more` : "";
  return { ...problem, hint: `${problem.hint}; also replace ${reported.join(", ")}${more}` };
}
