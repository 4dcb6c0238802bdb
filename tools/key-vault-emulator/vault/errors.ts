import type { Claims } from "../entra/token-issuer.ts";
import type { SecretPermission, Vault } from "./vault-store.ts";

/** A refusal of the data plane. `innerCode` is what tells the 403s apart. */
export interface VaultError {
  readonly status: 400 | 401 | 403 | 404 | 405;
  readonly code: string;
  readonly message: string;
  readonly innerCode?: string;
}

/** The region named in messages and headers; the emulator has one. */
export const LOCATION = "westeurope";

function unauthorized(message: string): VaultError {
  return { status: 401, code: "Unauthorized", message };
}

function badParameter(message: string): VaultError {
  return { status: 400, code: "BadParameter", message };
}

/** https://github.com/Azure/azure-sdk-for-python/issues/24557 */
export function tokenMissing(): VaultError {
  return unauthorized("AKV10000: Request is missing a Bearer or PoP token.");
}

/** https://github.com/vcsjones/AzureSignTool/issues/330 */
export function signatureUnknown(): VaultError {
  return unauthorized("AKV10046: Unable to resolve the key used for signature validation.");
}

/** https://github.com/Azure/azure-sdk-for-python/issues/27266 */
export function tokenExpired(): VaultError {
  return unauthorized("[TokenExpired] Error validating token: 'S2S12086'.");
}

/** https://github.com/MicrosoftDocs/azure-docs/issues/109562 */
export function audienceWrong(expected: string, found: string): VaultError {
  return unauthorized(`AKV10022: Invalid audience. Expected ${expected}, found: ${found}.`);
}

/** https://github.com/MicrosoftDocs/azure-docs/issues/75410 */
export function issuerWrong(expected: string, found: string): VaultError {
  return unauthorized(`AKV10032: Invalid issuer. Expected one of ${expected}, found ${found}.`);
}

/** https://github.com/turbot/steampipe-plugin-azure/issues/127 (a vault with access policies) */
export function permissionMissing(vault: Vault, caller: Claims, permission: SecretPermission): VaultError {
  const who = `appid=${caller.appid};oid=${caller.oid};iss=${caller.iss}`;
  const message =
    `The user, group or application '${who}' does not have secrets ${permission} permission on key vault ` +
    `'${vault.name};location=${LOCATION}'. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125287`;
  return { status: 403, code: "Forbidden", message, innerCode: "AccessDenied" };
}

/** https://github.com/Azure/azure-sdk-for-java/issues/17991 */
export function secretDisabled(): VaultError {
  return { status: 403, code: "Forbidden", message: "Operation get is not allowed on a disabled secret.", innerCode: "SecretDisabled" };
}

/** https://github.com/Azure/azure-sdk-for-js/issues/25489; a version is named as `name/version`. */
export function secretNotFound(name: string, version?: string): VaultError {
  const id = version === undefined ? name : `${name}/${version}`;
  const message =
    `A secret with (name/id) ${id} was not found in this key vault. If you recently deleted this secret you may be able to recover it ` +
    "using the correct recovery command. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182";
  return { status: 404, code: "SecretNotFound", message };
}

/** https://github.com/Azure/azure-sdk-for-rust (its core error test shows code and text) */
export function nameInvalid(name: string): VaultError {
  return badParameter(`The request URI contains an invalid name: ${name}`);
}

/** https://github.com/Azure/azure-sdk-for-node/issues/2198 */
export function valueInvalid(): VaultError {
  return badParameter("Property  has invalid value\r\n");
}

/** Documented as mandatory: https://learn.microsoft.com/azure/key-vault/general/common-parameters-and-headers; the wording is the emulator's. */
export function apiVersionMissing(): VaultError {
  return badParameter("The api-version query parameter is missing or not a version.");
}

/** Limits: https://learn.microsoft.com/rest/api/keyvault/secrets/set-secret/set-secret; the wording is the emulator's. */
export function bodyInvalid(field: string): VaultError {
  return badParameter(`The request body is not valid: ${field}`);
}

/** 1 to 25: https://learn.microsoft.com/rest/api/keyvault/secrets/get-secrets/get-secrets; the wording is the emulator's. */
export function pageSizeInvalid(): VaultError {
  return badParameter("maxresults has to be a number from 1 to 25.");
}

/** Anything the emulator does not have answers like a wrong verb: https://learn.microsoft.com/azure/key-vault/general/rest-error-codes */
export function methodNotAllowed(): VaultError {
  return { status: 405, code: "MethodNotAllowed", message: "The emulator does not know this operation." };
}
