import { type EntraError, entraError, unknownTenant } from "../entra/errors.ts";
import type { Answer, Exchange } from "./exchange.ts";

/** Errors that a test can make a service return, although no state of the emulator leads to them. */
export const REFUSALS = [
  "firewall",
  "private-link-only",
  "perimeter",
  "rbac",
  "expired-client-secret",
  "unknown-tenant",
  "conditional-access",
] as const;

export type RefusalName = (typeof REFUSALS)[number];

export function refusalAnswer(exchange: Exchange, refusal: RefusalName): Answer {
  switch (refusal) {
    case "firewall":
      return firewall();
    case "private-link-only":
      return forbidden(
        "ForbiddenByConnection",
        "Public network access is disabled and request is not from a trusted service nor via an approved private link.",
      );
    case "perimeter":
      return forbidden("ForbiddenByNsp", "The request was forbidden by NSP policy.");
    case "rbac":
      return forbidden("ForbiddenByRbac", "Caller is not authorized to perform action on resource.");
    case "expired-client-secret":
      return entraError(exchange, expiredClientSecret());
    case "unknown-tenant":
      return entraError(exchange, unknownTenant(exchange.segments[0] ?? ""));
    case "conditional-access":
      return entraError(exchange, conditionalAccess());
  }
}

/**
 * Text from https://github.com/hashicorp/terraform-provider-azurerm/issues/4553, inner code from
 * https://learn.microsoft.com/azure/key-vault/general/rest-error-codes
 */
function firewall(): Answer {
  const message = "Client address is not authorized and caller is not a trusted service.";
  return forbidden("ForbiddenByFirewall", message);
}

/**
 * Private link: https://github.com/microsoft/multimodal-ai/issues/171. Roles:
 * https://github.com/hashicorp/terraform-provider-azurerm/issues/27817. Perimeter: text of the management plane, because no answer of a
 * vault is public.
 */
function forbidden(innerCode: string, message: string): Answer {
  return { status: 403, body: { error: { code: "Forbidden", message, innererror: { code: innerCode } } } };
}

/** https://github.com/dotnet/sign/issues/849 */
function expiredClientSecret(): EntraError {
  const message = "The provided client secret keys for app are expired. Visit the Azure portal to create new keys for your app.";
  return { status: 401, error: "invalid_client", code: 7000222, message };
}

/** https://learn.microsoft.com/entra/identity-platform/reference-error-codes (AADSTS53003) */
function conditionalAccess(): EntraError {
  const message = "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.";
  return { status: 400, error: "invalid_grant", code: 53003, message };
}
