import { randomUUID } from "node:crypto";

import type { Answer, Exchange } from "../network/exchange.ts";

/** The fields that differ between Entra's errors. {@link entraError} adds the common ones. */
export interface EntraError {
  readonly status: 400 | 401 | 503;
  readonly error: string;
  readonly code: number;
  readonly message: string;
}

/** https://github.com/Azure/azure-cli/issues/22145 (body and text), status 400 as in Azure/azure-sdk-for-js's recordings. */
export function unknownTenant(tenantId: string): EntraError {
  const message =
    `Tenant '${tenantId}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. ` +
    "Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.";
  return { status: 400, error: "invalid_tenant", code: 90002, message };
}

/** https://github.com/microsoft/Analysis-Services/issues/194 */
export function malformedTenant(tenantId: string): EntraError {
  const message = `Specified tenant identifier '${tenantId}' is neither a valid DNS name, nor a valid external domain.`;
  return { status: 400, error: "invalid_request", code: 900023, message };
}

/** https://github.com/MicrosoftDocs/azure-docs/issues/35244; `unauthorized_client` and 400 as the SDKs' recordings show. */
export function unknownApplication(appId: string, tenantId: string): EntraError {
  const message =
    `Application with identifier '${appId}' was not found in the directory '${tenantId}'. This can happen if the application has not ` +
    "been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication " +
    "request to the wrong tenant.";
  return { status: 400, error: "unauthorized_client", code: 700016, message };
}

/** https://github.com/Azure/sap-automation/issues/418 (status 401 and the whole body) */
export function wrongClientSecret(appId: string): EntraError {
  const message =
    "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, " +
    `for a secret added to app '${appId}'.`;
  return { status: 401, error: "invalid_client", code: 7000215, message };
}

/** https://login.microsoftonline.com/error?code=7000216 */
export function missingCredential(): EntraError {
  const message = "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.";
  return { status: 401, error: "invalid_client", code: 7000216, message };
}

/** https://learn.microsoft.com/entra/identity-platform/reference-error-codes (AADSTS70003) */
export function unsupportedGrant(): EntraError {
  const message = "The app requested an unsupported grant type.";
  return { status: 400, error: "unsupported_grant_type", code: 70003, message };
}

/** https://learn.microsoft.com/entra/identity-platform/reference-error-codes (AADSTS900144) */
export function missingParameter(name: string): EntraError {
  return {
    status: 400,
    error: "invalid_request",
    code: 900144,
    message: `The request body must contain the following parameter: '${name}'.`,
  };
}

/** https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow (a scope must end in /.default) */
export function scopeWithoutDefault(scope: string): EntraError {
  const message =
    `The provided value for scope ${scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the ` +
    "resource identifier (application ID URI).";
  return { status: 400, error: "invalid_scope", code: 1002012, message };
}

/** https://learn.microsoft.com/entra/identity-platform/reference-error-codes (AADSTS500011) */
export function unknownResource(resource: string, tenantId: string): EntraError {
  const message =
    `The resource principal named ${resource} was not found in the tenant named ${tenantId}. This can happen if the application has not ` +
    "been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication " +
    "request to the wrong tenant.";
  return { status: 400, error: "invalid_resource", code: 500011, message };
}

/** https://learn.microsoft.com/entra/identity-platform/reference-error-codes (AADSTS50049) */
export function unknownInstance(): EntraError {
  return { status: 400, error: "invalid_instance", code: 50049, message: "Unknown or invalid instance." };
}

/** https://learn.microsoft.com/entra/identity-platform/reference-error-codes (AADSTS90033) */
export function transientFailure(): EntraError {
  return { status: 503, error: "temporarily_unavailable", code: 90033, message: "A transient error has occurred. Please try again." };
}

/** Builds the common form of all errors. https://github.com/Azure/sap-automation/issues/418 shows a complete one. */
export function entraError(exchange: Exchange, error: EntraError): Answer {
  const timestamp = new Date()
    .toISOString()
    .replace("T", " ")
    .replace(/\.\d+Z$/, "Z");
  const traceId = randomUUID();
  const correlationId = correlationIdOf(exchange);
  return {
    status: error.status,
    headers: { "Cache-Control": "no-store, no-cache", Pragma: "no-cache", "x-ms-request-id": traceId },
    body: {
      error: error.error,
      error_description: `AADSTS${error.code}: ${error.message} Trace ID: ${traceId} Correlation ID: ${correlationId} Timestamp: ${timestamp}`,
      error_codes: [error.code],
      timestamp,
      trace_id: traceId,
      correlation_id: correlationId,
      error_uri: `https://${exchange.host}/error?code=${error.code}`,
    },
  };
}

function correlationIdOf(exchange: Exchange): string {
  const sent = exchange.headers["client-request-id"];
  return typeof sent === "string" && /^[0-9a-f-]{36}$/i.test(sent) ? sent : randomUUID();
}
