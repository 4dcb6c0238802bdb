/** Steps 3 to 7 of the provider's checks, in its order: only the first failure is reported. */
import { failed, ok, type Result } from "../result.ts";
import { CLOUDS, type Cloud, CUSTOM_CLOUD, findCloud, isCustomCloud } from "./clouds.ts";
import { type IdentityMode, type Parameters, parameter, readIdentityMode } from "./identity-mode.ts";
import type { ClassProblem } from "./problem.ts";

export interface ClassParameters {
  readonly identity: IdentityMode;
  /** Not empty; its shape is checked after the objects, as the provider does. */
  readonly vaultName: string;
  readonly tenantId: string;
  readonly cloud: Cloud;
}

function invalid(key: string, message: string, hint: string): { readonly ok: false; readonly error: ClassProblem } {
  return failed({ reason: "InvalidClass", message, field: `spec.parameters.${key}`, hint });
}

function readCloud(parameters: Parameters, defaultCloud: string): Result<Cloud, ClassProblem> {
  const name = parameter(parameters, "cloudName") || defaultCloud;
  const known = `write one of ${CLOUDS.map((cloud) => cloud.name).join(", ")}, or remove cloudName`;
  if (isCustomCloud(name)) {
    return invalid("cloudName", `cloudName ${name} is not valid, error: ${CUSTOM_CLOUD} is not supported by this version`, known);
  }
  const cloud = findCloud(name);
  return cloud.ok ? cloud : invalid("cloudName", `cloudName ${name} is not valid, error: ${cloud.error}`, known);
}

export function readParameters(parameters: Parameters, defaultCloud: string): Result<ClassParameters, ClassProblem> {
  const identity = readIdentityMode(parameters);
  if (!identity.ok) return identity;
  const vaultName = parameter(parameters, "keyvaultName");
  if (vaultName === "") return invalid("keyvaultName", "keyvaultName is not provided", "set it to the name of the key vault");
  // `tenantID` wins; the older spelling is the one in the provider's message.
  const tenantId = parameter(parameters, "tenantID") || parameter(parameters, "tenantId");
  if (tenantId === "")
    return invalid("tenantID", "tenantId is not provided", "set tenantID to the id of the tenant that the vault belongs to");
  const cloud = readCloud(parameters, defaultCloud);
  return cloud.ok ? ok({ identity: identity.value, vaultName, tenantId, cloud: cloud.value }) : cloud;
}
