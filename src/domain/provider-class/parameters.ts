/** Steps 3 to 7 of the provider's checks, in its order. Only the first failure is reported. */
import { failed, ok, type Result } from "../result.ts";
import { cloudFileNameProblem, parseCloudFile } from "./cloud-file.ts";
import { CLOUD_NAMES, type Cloud, CUSTOM_CLOUD, findCloud, isCustomCloud } from "./clouds.ts";
import { type IdentityMode, type Parameters, parameter, readIdentityMode } from "./identity-mode.ts";
import type { ClassProblem } from "./problem.ts";
import type { IdentitySupport } from "./this-version.ts";

/** Parameters that only the worker reads. */
export const SECRET_DATA = "secretData";
export const OBJECT_SELECTORS = "objectSelectors";

export interface ClassParameters {
  readonly identity: IdentityMode;
  /** Not empty. Its format is checked after the objects, as in the provider. */
  readonly vaultName: string;
  readonly tenantId: string;
  readonly cloud: Cloud;
}

function invalid(key: string, message: string, hint: string): { readonly ok: false; readonly error: ClassProblem } {
  return failed({ reason: "InvalidClass", message, field: `spec.parameters.${key}`, hint });
}

/** Returns the content of a file in the folder of cloud files, or the reason in Go's words: `open x: no such file or directory`. */
export type ReadCloudFile = (fileName: string) => Result<Uint8Array, string>;

/** Settings of the install about the clouds of classes and the cloud of the cluster. */
export interface CloudOptions extends IdentitySupport {
  /** Cloud of classes without `cloudName`. */
  readonly cloudName: string;
  /** Missing if no folder of cloud files is configured. */
  readonly readCloudFile?: ReadCloudFile | undefined;
}

function readCloud(parameters: Parameters, options: CloudOptions): Result<Cloud, ClassProblem> {
  const name = parameter(parameters, "cloudName") || options.cloudName;
  if (isCustomCloud(name)) return readCustomCloud(parameters, name, options.readCloudFile);
  const cloud = findCloud(name);
  if (cloud.ok) return cloud;
  const hint = `write one of ${CLOUD_NAMES.join(", ")}, or remove cloudName`;
  return invalid("cloudName", `cloudName ${name} is not valid, error: ${cloud.error}`, hint);
}

function readCustomCloud(parameters: Parameters, name: string, read: ReadCloudFile | undefined): Result<Cloud, ClassProblem> {
  const problem = (error: string, hint: string) => invalid("cloudEnvFileName", `cloudName ${name} is not valid, error: ${error}`, hint);
  const fileName = parameter(parameters, "cloudEnvFileName");
  if (read === undefined)
    return problem(`open ${fileName}: cloud files are not enabled`, "set --cloud-env-dir to the folder where the cloud files are mounted");
  // The provider's error for an empty name.
  if (fileName === "") return problem("open : no such file or directory", "write the name of a file in the folder of --cloud-env-dir");
  const nameProblem = cloudFileNameProblem(fileName);
  if (nameProblem !== undefined)
    return problem(nameProblem, "write only the name of a file that is mounted in the folder of --cloud-env-dir");
  const contents = read(fileName);
  if (!contents.ok) return problem(contents.error, "mount the file in the folder of --cloud-env-dir, or correct the name");
  const cloud = parseCloudFile(contents.value, CUSTOM_CLOUD);
  return cloud.ok ? cloud : problem(cloud.error, `correct the file ${fileName} in the folder of --cloud-env-dir`);
}

export function readParameters(parameters: Parameters, options: CloudOptions): Result<ClassParameters, ClassProblem> {
  const identity = readIdentityMode(parameters);
  if (!identity.ok) return identity;
  const vaultName = parameter(parameters, "keyvaultName");
  if (vaultName === "") return invalid("keyvaultName", "keyvaultName is not provided", "set it to the name of the key vault");
  // `tenantID` takes precedence. The provider's message uses the older spelling.
  const tenantId = parameter(parameters, "tenantID") || parameter(parameters, "tenantId");
  if (tenantId === "")
    return invalid("tenantID", "tenantId is not provided", "set tenantID to the id of the tenant that the vault belongs to");
  const cloud = readCloud(parameters, options);
  return cloud.ok ? ok({ identity: identity.value, vaultName, tenantId, cloud: cloud.value }) : cloud;
}
