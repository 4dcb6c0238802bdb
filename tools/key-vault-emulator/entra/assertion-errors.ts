import type { EntraError } from "./errors.ts";

/** Refusals of a client assertion. All but the malformed ones are `invalid_client`. */

const CHECK =
  "Check your federated identity credential Subject, Audience and Issuer against the presented assertion. " +
  "https://learn.microsoft.com/entra/workload-id/workload-identity-federation";

function invalidClient(code: number, message: string): EntraError {
  return { status: 401, error: "invalid_client", code, message };
}

/** https://github.com/external-secrets/external-secrets/issues/2783 (401, whole body): an application without any federated credential. */
export function noFederatedCredential(presented: {
  readonly issuer: string;
  readonly subject: string;
  readonly audience: string;
}): EntraError {
  const { issuer, subject, audience } = presented;
  return invalidClient(
    70021,
    `No matching federated identity record found for presented assertion. Assertion Issuer: '${issuer}'. Assertion Subject: '${subject}'. ` +
      `Assertion Audience: '${audience}'. https://docs.microsoft.com/en-us/azure/active-directory/develop/workload-identity-federation`,
  );
}

/** https://github.com/Azure/azure-workload-identity/issues/1200 */
export function issuerNotFederated(issuer: string): EntraError {
  return invalidClient(700211, `No matching federated identity record found for presented assertion issuer '${issuer}'. ${CHECK}`);
}

/** Analogous to the errors for issuer and subject: https://login.microsoftonline.com/error?code=700212 */
export function audienceNotFederated(audience: string): EntraError {
  return invalidClient(700212, `No matching federated identity record found for presented assertion audience '${audience}'. ${CHECK}`);
}

/** https://github.com/Azure/azure-workload-identity/issues/1200 (a comment) and https://github.com/Azure/login/issues/482 */
export function subjectNotFederated(subject: string): EntraError {
  return invalidClient(700213, `No matching federated identity record found for presented assertion subject '${subject}'. ${CHECK}`);
}

/** https://github.com/Azure/login/issues/515 */
export function subjectCaseDiffers(subject: string): EntraError {
  return invalidClient(
    7002138,
    `No matching federated identity record found for presented assertion subject '${subject}'. The subject matches with case-insensitive ` +
      "comparison, but not with case-sensitive comparison. Check your federated identity credential Subject, Audience and Issuer against the " +
      "presented assertion. See documentation at: https://learn.microsoft.com/entra/workload-id/workload-identity-federation.",
  );
}

/** https://github.com/AzureAD/microsoft-authentication-library-for-java/issues/984 */
export function outsideValidity(times: { readonly now: number; readonly from: number; readonly until: number }): EntraError {
  const written = (seconds: number): string => new Date(seconds * 1000).toISOString().replace("Z", "0000Z");
  return invalidClient(
    700024,
    `Client assertion is not within its valid time range. Current time: ${written(times.now)}, assertion valid from ${written(times.from)}, ` +
      `expiry time of assertion ${written(times.until)}. Review the documentation at ` +
      "https://learn.microsoft.com/entra/identity-platform/certificate-credentials .",
  );
}

/** https://github.com/Azure/azure-workload-identity/issues/1232 (whole body) */
export function signingKeyUnknown(keyId: string, issuer: string): EntraError {
  return invalidClient(
    7000272,
    `The certificate with identifier ${keyId} used to sign the federated credential could not be found in the metadata of identity ` +
      `provider ${issuer}. Please validate that your Identity Provider's metadata exposes the key used to sign the incoming token.`,
  );
}

/** https://learn.microsoft.com/entra/identity-platform/reference-error-codes (AADSTS50013) */
export function signatureWrong(): EntraError {
  const reason = "[Reason - The provided signature value did not match the expected signature value.]";
  return invalidClient(50013, `Assertion failed signature validation. ${reason}`);
}

/** Entra cannot fetch the keys of an issuer that no test has registered: https://github.com/Azure/azure-workload-identity/issues/605 */
export function externalEndpointFailed(): EntraError {
  return { status: 400, error: "invalid_request", code: 90061, message: "Request to External OIDC endpoint failed." };
}

/** https://github.com/panva/openid-client/issues/348 */
export function malformedAssertion(): EntraError {
  return { status: 400, error: "invalid_request", code: 50027, message: "JWT token is invalid or malformed." };
}

/** https://github.com/AzureAD/microsoft-authentication-library-for-dotnet/issues/4712 */
export function unsupportedKey(): EntraError {
  return { status: 400, error: "invalid_request", code: 5002730, message: "Invalid JWT token. Unsupported key for the signing algorithm." };
}
