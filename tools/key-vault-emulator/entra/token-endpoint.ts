import type { Cloud } from "../network/clouds.ts";
import type { Answer, Exchange } from "../network/exchange.ts";
import { assertionRefusal } from "./client-assertion.ts";
import { AD_FS, type Directory, isSecretOf, type ServicePrincipal } from "./directory.ts";
import {
  type EntraError,
  entraError,
  missingCredential,
  missingParameter,
  scopeWithoutDefault,
  unknownApplication,
  unknownResource,
  unsupportedGrant,
  wrongClientSecret,
} from "./errors.ts";
import type { Federation } from "./federation.ts";
import type { TokenIssuer } from "./token-issuer.ts";

export interface TokenContext {
  readonly cloud: Cloud;
  readonly tenantId: string;
  readonly directory: Directory;
  readonly federation: Federation;
  readonly tokens: TokenIssuer;
}

/** Answers the client credentials grant of both endpoint versions: v2.0 has a `scope`, v1.0 a `resource`. */
export function answerTokenRequest(exchange: Exchange, context: TokenContext): Answer {
  const form = new URLSearchParams(exchange.body);
  const { cloud, tenantId, tokens } = context;
  const principal = context.directory.find(form.get("client_id") ?? "");
  const isKnown = principal !== undefined && principal.tenantId === tenantId;
  const identity = isKnown ? { identity: principal.appId } : {};
  const audience = audienceOf(form, exchange, context);
  if (typeof audience !== "string") return { ...entraError(exchange, audience), ...identity };
  if (!isKnown) return entraError(exchange, unknownApplication(form.get("client_id") ?? "", tenantId));
  const refusal = credentialRefusal(form, principal, context);
  if (refusal !== undefined) return { ...entraError(exchange, refusal), ...identity };
  const lifetime = tokens.lifetimeSeconds;
  return {
    status: 200,
    headers: { "Cache-Control": "no-store, no-cache", Pragma: "no-cache" },
    body: {
      token_type: "Bearer",
      expires_in: lifetime,
      ext_expires_in: lifetime,
      access_token: tokens.issue({ principal, cloud, audience }),
    },
    audience,
    ...identity,
  };
}

/** Returns the audience that a correct request names, otherwise the error. */
function audienceOf(form: URLSearchParams, exchange: Exchange, { cloud, tenantId }: TokenContext): string | EntraError {
  if (form.get("grant_type") !== "client_credentials") return unsupportedGrant();
  if (!form.get("client_id")) return missingParameter("client_id");
  // AD FS has one endpoint, which also takes a scope.
  const parameter = exchange.segments.includes("v2.0") || tenantId === AD_FS ? "scope" : "resource";
  const asked = form.get(parameter);
  if (!asked) return missingParameter(parameter);
  const scopes = asked.split(" ").filter((scope) => !["openid", "profile", "offline_access", ""].includes(scope));
  const [resource = ""] = scopes;
  if (parameter === "scope" && !resource.endsWith("/.default")) return scopeWithoutDefault(asked);
  const asResource = resource.replace(/\/\.default$/, "").replace(/\/$/, "");
  return registeredAudience(cloud, asResource) ?? unknownResource(asResource, tenantId);
}

/** The `aud` claim for a resource, which may end in a slash. `undefined` if no such API is registered. */
export function registeredAudience({ vaultResource, managementResource, storageResource }: Cloud, resource: string): string | undefined {
  const audience = resource.replace(/\/$/, "");
  return [vaultResource, managementResource, storageResource].includes(audience) ? audience : undefined;
}

function credentialRefusal(form: URLSearchParams, principal: ServicePrincipal, context: TokenContext): EntraError | undefined {
  const { federation, tokens } = context;
  if (form.get("client_assertion")) return assertionRefusal(form, { principal, federation, now: tokens.now });
  const secret = form.get("client_secret");
  if (!secret) return missingCredential();
  return isSecretOf(principal, secret) ? undefined : wrongClientSecret(principal.appId);
}
