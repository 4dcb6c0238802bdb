import { CLOUDS, type Cloud, endpointOf } from "../network/clouds.ts";
import type { Answer, Exchange } from "../network/exchange.ts";
import { AD_FS, type Directory } from "./directory.ts";
import { entraError, malformedTenant, unknownInstance, unknownTenant } from "./errors.ts";
import type { Federation } from "./federation.ts";
import { answerTokenRequest } from "./token-endpoint.ts";
import type { TokenIssuer } from "./token-issuer.ts";

export interface EntraServices {
  readonly directory: Directory;
  readonly federation: Federation;
  readonly tokens: TokenIssuer;
}

/** Authority names that represent more than one tenant. They have metadata, but do not accept client credentials. */
const SHARED_AUTHORITIES: readonly string[] = ["common", "organizations", "consumers"];

/** Answers all requests that the SDKs send to an Entra host to get an access token. */
export function answerEntra(exchange: Exchange, cloud: Cloud, services: EntraServices): Answer {
  const [tenant = "", ...rest] = exchange.segments;
  const route = `${exchange.method} ${rest.join("/")}`;
  if (route === "GET discovery/instance") return instanceDiscovery(exchange);
  const refused = tenantRefusal(exchange, cloud, { tenant, directory: services.directory });
  switch (route) {
    case "GET v2.0/.well-known/openid-configuration":
    case "GET .well-known/openid-configuration":
      // The document contains the tenant's id, whatever name the request used.
      return refused ?? { status: 200, body: openIdConfiguration(exchange, cloud, services.directory.idOf(tenant)) };
    case "GET discovery/v2.0/keys":
    case "GET discovery/keys":
      return refused ?? { status: 200, body: services.tokens.keySet() };
    case "POST oauth2/v2.0/token":
    case "POST oauth2/token":
      return refused ?? answerTokenRequest(exchange, { cloud, tenantId: services.directory.idOf(tenant), ...services });
    default:
      return { status: 404, body: { error: "not_found", error_description: "The emulator has no such Entra endpoint." } };
  }
}

interface TenantQuestion {
  readonly tenant: string;
  readonly directory: Directory;
}

function tenantRefusal(exchange: Exchange, cloud: Cloud, { tenant, directory }: TenantQuestion): Answer | undefined {
  if (tenant === AD_FS && cloud.isPrivate === true && directory.hasTenant(cloud.name, tenant)) return undefined;
  const isMetadata = exchange.method === "GET";
  if (isMetadata && SHARED_AUTHORITIES.includes(tenant)) return undefined;
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$|^[a-z0-9-]+(\.[a-z0-9-]+)+$/i.test(tenant)) {
    return entraError(exchange, malformedTenant(tenant));
  }
  return directory.hasTenant(cloud.name, tenant) ? undefined : entraError(exchange, unknownTenant(tenant));
}

function issuerIn({ host, segments }: Exchange, { issuerHost }: Cloud, tenant: string): string {
  if (segments.includes("v2.0")) return `https://${host}/${tenant}/v2.0`;
  // An AD FS is its own issuer.
  return tenant === AD_FS ? `https://${host}/${tenant}` : `https://${issuerHost}/${tenant}/`;
}

/** https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc (the metadata document) */
function openIdConfiguration(exchange: Exchange, cloud: Cloud, tenant: string): unknown {
  const base = `https://${exchange.host}/${tenant}`;
  const isVersion2 = exchange.segments.includes("v2.0");
  const oauth = isVersion2 ? `${base}/oauth2/v2.0` : `${base}/oauth2`;
  return {
    token_endpoint: `${oauth}/token`,
    token_endpoint_auth_methods_supported: ["client_secret_post", "private_key_jwt", "client_secret_basic"],
    jwks_uri: isVersion2 ? `${base}/discovery/v2.0/keys` : `${base}/discovery/keys`,
    response_modes_supported: ["query", "fragment", "form_post"],
    subject_types_supported: ["pairwise"],
    id_token_signing_alg_values_supported: ["RS256"],
    response_types_supported: ["code", "id_token", "code id_token", "id_token token"],
    scopes_supported: ["openid", "profile", "email", "offline_access"],
    issuer: issuerIn(exchange, cloud, tenant),
    authorization_endpoint: `${oauth}/authorize`,
    end_session_endpoint: `${oauth}/logout`,
    tenant_region_scope: "WW",
    cloud_instance_name: cloud.entraHosts[0].replace(/^login\./, ""),
  };
}

/** MSAL uses this to learn which host names belong together before it sends a secret to one of them. */
function instanceDiscovery(exchange: Exchange): Answer {
  const authority = exchange.query.get("authorization_endpoint") ?? "";
  const [, host = "", tenant = ""] = /^https:\/\/([^/]+)\/([^/]+)/.exec(authority) ?? [];
  const endpoint = endpointOf(host);
  if (endpoint?.kind !== "entra" || endpoint.cloud.isPrivate === true) return entraError(exchange, unknownInstance());
  const known = Object.values(CLOUDS).filter(({ isPrivate }) => isPrivate !== true);
  return {
    status: 200,
    body: {
      tenant_discovery_endpoint: `https://${host}/${tenant}/v2.0/.well-known/openid-configuration`,
      "api-version": "1.1",
      metadata: known.map(({ entraHosts }) => ({
        // The last name is the preferred one: China's alias, and the only name in the other clouds.
        preferred_network: entraHosts.at(-1),
        preferred_cache: entraHosts.at(-1),
        aliases: [...entraHosts],
      })),
    },
  };
}
