/** What of a class is still the placeholder of a page. The provider looks at some of it, and stops at the first. */
import { isPlaceholder } from "../placeholder.ts";
import type { IdentityMode } from "./identity-mode.ts";
import type { RawObject } from "./objects-yaml.ts";
import type { ClassParameters } from "./parameters.ts";
import type { ClassProblem } from "./problem.ts";

export interface Unfilled {
  /** Without `spec.parameters.` */
  readonly field: string;
  readonly value: string;
}

/** Whose id is one; undefined where none is, or the identity has none. */
export function unfilledIdentity(identity: IdentityMode): Unfilled | undefined {
  const value = "clientId" in identity ? (identity.clientId ?? "") : "";
  const field = identity.kind === "managedIdentity" ? "userAssignedIdentityID" : "clientID";
  return isPlaceholder(value) ? { field, value } : undefined;
}

/** In the order in which people write them. A managed identity's token is not asked for of a tenant. */
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

/** As many as are read at a glance; a class may name thousands of objects. */
const MOST_TOLD = 6;

/** The same problem, whose hint has the other placeholders of the class as well: else each would be told when the one before it is filled in. */
export function withUnfilled(problem: ClassProblem, parameters: ClassParameters, objects: readonly RawObject[]): ClassProblem {
  const others = unfilledIn(parameters, objects).filter(({ field }) => problem.field !== `spec.parameters.${field}`);
  if (others.length === 0) return problem;
  const told = others.slice(0, MOST_TOLD).map(({ field, value }) => `${value.trim()} in ${field}`);
  const more = others.length > MOST_TOLD ? ` and ${others.length - MOST_TOLD} more` : "";
  return { ...problem, hint: `${problem.hint}; also replace ${told.join(", ")}${more}` };
}
