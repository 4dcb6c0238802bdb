import type { Claims } from "../entra/token-issuer.ts";
import type { Answer } from "../network/exchange.ts";
import type { KindPermission } from "./permissions.ts";
import type { Vault } from "./vault-store.ts";

/** An error of the data plane. `innerCode` distinguishes the errors with status 403. */
export interface VaultError {
  readonly status: 400 | 401 | 403 | 404 | 405 | 409 | 429;
  readonly code: string;
  readonly message: string;
  readonly innerCode?: string;
  readonly retryAfterSeconds?: number | undefined;
}

/** The region in messages and headers. The emulator has only one. */
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

/**
 * https://github.com/turbot/steampipe-plugin-azure/issues/127 (a vault with access policies); for certificates
 * https://github.com/microsoft/AzureTRE/pull/130
 */
export function permissionMissing(vault: Vault, caller: Claims, permission: KindPermission): VaultError {
  const who = `appid=${caller.appid};oid=${caller.oid};iss=${caller.iss}`;
  const message =
    `The user, group or application '${who}' does not have ${permission.replace("/", " ")} permission on key vault ` +
    `'${vault.name};location=${LOCATION}'. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125287`;
  return { status: 403, code: "Forbidden", message, innerCode: "AccessDenied" };
}

/** https://github.com/Azure/azure-sdk-for-java/issues/17991 */
export function secretDisabled(): VaultError {
  return { status: 403, code: "Forbidden", message: "Operation get is not allowed on a disabled secret.", innerCode: "SecretDisabled" };
}

const KIND_NAMES = {
  secrets: { code: "SecretNotFound", noun: "secret" },
  keys: { code: "KeyNotFound", noun: "key" },
  certificates: { code: "CertificateNotFound", noun: "certificate" },
} as const;

/**
 * https://github.com/Azure/azure-sdk-for-js/issues/25489 (secrets, with a version in the form `name/version`),
 * https://github.com/sigstore/cosign/issues/3094 (keys), https://github.com/Azure/azure-sdk-for-js/issues/20930 (certificates)
 */
export function objectNotFound(kind: keyof typeof KIND_NAMES, name: string, version?: string): VaultError {
  const { code, noun } = KIND_NAMES[kind];
  const id = version === undefined ? name : `${name}/${version}`;
  const message =
    `A ${noun} with (name/id) ${id} was not found in this key vault. If you recently deleted this ${noun} you may be able to recover it ` +
    "using the correct recovery command. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182";
  return { status: 404, code, message };
}

/** https://github.com/vcsjones/AzureSignTool/issues/219 and https://github.com/dotnet/sign/issues/403 (both without Retry-After) */
export function throttled(retryAfterSeconds: number | undefined): VaultError {
  const message = "Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached";
  return { status: 429, code: "Throttled", message, retryAfterSeconds };
}

/** As recorded in https://github.com/Azure/azure-sdk-for-js (keyvault-secrets, recording_can_recover_a_deleted_secret.json) */
export function deletedNotFound(kind: keyof typeof KIND_NAMES, name: string): VaultError {
  const { code, noun } = KIND_NAMES[kind];
  return { status: 404, code, message: `Deleted ${capitalised(noun)} not found: ${name}` };
}

/** https://github.com/Azure/azure-sdk-for-net (the codes are in the sample of Azure.Security.KeyVault.Secrets on error responses) */
export function nameDeleted(kind: keyof typeof KIND_NAMES, name: string): VaultError {
  const message =
    `${capitalised(KIND_NAMES[kind].noun)} ${name} is currently in a deleted but recoverable state, and its name cannot be reused; ` +
    "in this state, the secret can only be recovered or purged.";
  return { status: 409, code: "Conflict", message, innerCode: "ObjectIsDeletedButRecoverable" };
}

function capitalised(noun: string): string {
  return `${noun.charAt(0).toUpperCase()}${noun.slice(1)}`;
}

/**
 * A certificate also reserves the names of its key and secret: https://learn.microsoft.com/azure/key-vault/certificates/about-certificates.
 * The text is the emulator's.
 */
export function nameTakenByCertificate(kind: keyof typeof KIND_NAMES, name: string): VaultError {
  const message = `The ${KIND_NAMES[kind].noun} ${name} belongs to the certificate of that name and can't be changed alone.`;
  return { status: 409, code: "Conflict", message };
}

/** https://github.com/Azure/azure-sdk-for-rust (code and text are in its core error test) */
export function nameInvalid(name: string): VaultError {
  return badParameter(`The request URI contains an invalid name: ${name}`);
}

/** https://github.com/Azure/azure-sdk-for-node/issues/2198 */
export function valueInvalid(): VaultError {
  return badParameter("Property  has invalid value\r\n");
}

/**
 * The parameter is mandatory: https://learn.microsoft.com/azure/key-vault/general/common-parameters-and-headers. The text is the
 * emulator's.
 */
export function apiVersionMissing(): VaultError {
  return badParameter("The api-version query parameter is missing or not a version.");
}

/** As recorded in https://github.com/Azure/azure-sdk-for-net/issues/14789 and https://github.com/Azure/azure-sdk-for-python/issues/28595 */
export function apiVersionUnknown(version: string, latest: string): VaultError {
  return badParameter(`The specified version (${version}) is not recognized. Consider using the latest supported version (${latest}).`);
}

/** Limits: https://learn.microsoft.com/rest/api/keyvault/secrets/set-secret/set-secret. The text is the emulator's. */
export function bodyInvalid(field: string): VaultError {
  return badParameter(`The request body is not valid: ${field}`);
}

/** 1 to 25: https://learn.microsoft.com/rest/api/keyvault/secrets/get-secrets/get-secrets. The text is the emulator's. */
export function pageSizeInvalid(): VaultError {
  return badParameter("maxresults has to be a number from 1 to 25.");
}

/**
 * The emulator answers any operation that it lacks like a wrong verb: https://learn.microsoft.com/azure/key-vault/general/rest-error-codes
 */
export function methodNotAllowed(): VaultError {
  return { status: 405, code: "MethodNotAllowed", message: "The emulator does not know this operation." };
}

/** Statuses: https://learn.microsoft.com/azure/key-vault/general/rest-error-codes. The text is the emulator's. */
export function serviceFailure(status: number): Answer {
  const code = status === 503 ? "ServiceUnavailable" : status === 429 ? "Throttled" : "InternalServerError";
  return { status, body: { error: { code, message: "The emulator was told to fail here." } } };
}
