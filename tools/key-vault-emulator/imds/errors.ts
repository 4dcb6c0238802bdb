import type { Answer } from "../network/exchange.ts";

function refusal(error: string, description: string): Answer {
  return { status: 400, headers: { Server: SERVER }, body: { error, error_description: description } };
}

/** As in https://github.com/Hexadite/acs-keyvault-agent/pull/43 */
export const SERVER = "IMDS/150.870.65.512";

/**
 * For the condition, see https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token#error-handling
 */
export function metadataHeaderMissing(): Answer {
  return refusal("invalid_request", "Required metadata header not specified");
}

/** The same page documents the parameter as required. The text of the message is the emulator's. */
export function queryMissing(name: string): Answer {
  return refusal("invalid_request", `Required query variable '${name}' is missing`);
}

/** https://github.com/MicrosoftDocs/azure-docs/issues/21322 and https://github.com/Azure/terraform-provider-azapi/issues/669 (status 400) */
export function identityNotFound(): Answer {
  return refusal("invalid_request", "Identity not found");
}

/** https://github.com/Hexadite/acs-keyvault-agent/pull/43 (the whole answer) */
export function severalIdentities(): Answer {
  return refusal(
    "invalid_request",
    "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the token request",
  );
}

/** `invalid_resource` in the same error table; the text is Entra's: https://learn.microsoft.com/entra/identity-platform/reference-error-codes */
export function resourceUnknown(resource: string, tenantId: string): Answer {
  return refusal(
    "invalid_resource",
    `AADSTS500011: The resource principal named ${resource} was not found in the tenant named ${tenantId}. This can happen if the ` +
      "application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent " +
      "your authentication request to the wrong tenant.",
  );
}
