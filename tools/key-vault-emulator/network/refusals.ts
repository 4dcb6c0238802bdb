import { type EntraError, entraError, unknownTenant } from "../entra/errors.ts";
import type { Answer, Exchange } from "./exchange.ts";

/** What a test has a service say although nothing of the emulator's state leads to it. */
export const REFUSALS = ["firewall", "expired-client-secret", "unknown-tenant", "conditional-access"] as const;

export type RefusalName = (typeof REFUSALS)[number];

export function refusalAnswer(exchange: Exchange, refusal: RefusalName): Answer {
  switch (refusal) {
    case "firewall":
      return firewall();
    case "expired-client-secret":
      return entraError(exchange, expiredClientSecret());
    case "unknown-tenant":
      return entraError(exchange, unknownTenant(exchange.segments[0] ?? ""));
    case "conditional-access":
      return entraError(exchange, conditionalAccess());
  }
}

/**
 * The text: https://github.com/hashicorp/terraform-provider-azurerm/issues/4553; the inner code:
 * https://learn.microsoft.com/azure/key-vault/general/rest-error-codes
 */
function firewall(): Answer {
  const message = "Client address is not authorized and caller is not a trusted service.";
  return { status: 403, body: { error: { code: "Forbidden", message, innererror: { code: "ForbiddenByFirewall" } } } };
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
