import type { Version } from "./versioned-collection.ts";

/** Attributes as in https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret/get-secret; JSON drops what is undefined. */
export function attributesOf(object: Version): object {
  return {
    enabled: object.enabled,
    nbf: object.notBefore,
    exp: object.expires,
    created: object.created,
    updated: object.updated,
    recoveryLevel: "Recoverable+Purgeable",
    recoverableDays: 90,
  };
}
