import type { Version } from "./versioned-collection.ts";

/** Data about the vault that answers contain. */
export interface WirePlace {
  /** With a trailing slash. */
  readonly url: string;
  /** From 7 to 90. */
  readonly recoverableDays: number;
}

/** https://learn.microsoft.com/azure/key-vault/general/soft-delete-overview */
export const DEFAULT_DAYS = 90;

/**
 * Attributes as in https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret/get-secret. JSON omits undefined ones. A shorter
 * retention has its own recovery level, as recorded in https://github.com/Azure/azure-sdk-for-js (keyvault-secrets,
 * recording_can_recover_a_deleted_secret.json, from a vault with 7 days).
 */
export function attributesOf(object: Version, { recoverableDays }: WirePlace): object {
  return {
    enabled: object.enabled,
    nbf: object.notBefore,
    exp: object.expires,
    created: object.created,
    updated: object.updated,
    recoveryLevel: recoverableDays < DEFAULT_DAYS ? "CustomizedRecoverable+Purgeable" : "Recoverable+Purgeable",
    recoverableDays,
  };
}
