import { failed, ok, type Result } from "../result.ts";
import { goQuote, goUpper } from "./go-text.ts";

export interface Cloud {
  readonly name: string;
  /** Domain after the vault's name, such as `vault.azure.net`. */
  readonly vaultSuffix: string;
  /** For example, `https://login.microsoftonline.com/`. */
  readonly authorityHost: string;
  /** Scope of a token for a vault. */
  readonly scope: string;
  /** Whether a file of the operator describes the cloud. Only that file vouches for its names. */
  readonly isCustom?: true;
  /** API version of the data plane of its vaults, if the file states one. */
  readonly apiVersion?: string;
}

function cloud(name: string, vaultSuffix: string, authority: string): Cloud {
  return { name, vaultSuffix, authorityHost: `https://${authority}/`, scope: `https://${vaultSuffix}/.default` };
}

const PUBLIC = cloud("AzurePublicCloud", "vault.azure.net", "login.microsoftonline.com");
const US_GOVERNMENT = cloud("AzureUSGovernmentCloud", "vault.usgovcloudapi.net", "login.microsoftonline.us");

/** Endpoints as in go-autorest's `azure/environments.go`, which the provider uses. */
export const CLOUDS = [
  PUBLIC,
  US_GOVERNMENT,
  cloud("AzureChinaCloud", "vault.azure.cn", "login.chinacloudapi.cn"),
  cloud("AzureGermanCloud", "vault.microsoftazure.de", "login.microsoftonline.de"),
] as const satisfies readonly Cloud[];

const BY_NAME: ReadonlyMap<string, Cloud> = new Map<string, Cloud>([
  ...CLOUDS.map((entry) => [entry.name.toUpperCase(), entry] as const),
  ["AZURECLOUD", PUBLIC],
  ["AZUREUSGOVERNMENT", US_GOVERNMENT],
]);

/** The cloud whose endpoints come from a file. */
export const CUSTOM_CLOUD = "AzureStackCloud";

/** Valid values of `cloudName`, without aliases. */
export const CLOUD_NAMES: readonly string[] = [...CLOUDS.map(({ name }) => name), CUSTOM_CLOUD];

export function isCustomCloud(name: string): boolean {
  return goUpper(name) === CUSTOM_CLOUD.toUpperCase();
}

/** Finds a cloud by name or alias, in any case. The error is the provider's inner text, which shows the name in capitals. */
export function findCloud(name: string): Result<Cloud, string> {
  const upper = goUpper(name);
  const found = BY_NAME.get(upper);
  return found ? ok(found) : failed(`autorest/azure: There is no cloud environment matching the name ${goQuote(upper)}`);
}
