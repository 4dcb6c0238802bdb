import { registeredAudience } from "../entra/token-endpoint.ts";
import type { TokenIssuer } from "../entra/token-issuer.ts";
import { CLOUDS } from "../network/clouds.ts";
import type { Answer, Exchange } from "../network/exchange.ts";
import { identityNotFound, metadataHeaderMissing, queryMissing, resourceUnknown, SERVER, severalIdentities } from "./errors.ts";
import type { Machine, ManagedIdentity } from "./machine.ts";

export interface ImdsServices {
  readonly machine: Machine;
  readonly tokens: TokenIssuer;
}

/** Name of this endpoint in the request log and in faults, whatever address the client used. */
export const IMDS_HOST = "169.254.169.254";

/** https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token#get-a-token-using-http */
export function answerImds(exchange: Exchange, { machine, tokens }: ImdsServices): Answer {
  const { headers, query, segments, method } = exchange;
  // Before the path is checked, because a client that only probes for the service sends neither header nor query.
  if (headers["metadata"] !== "true" || headers["x-forwarded-for"] !== undefined) return metadataHeaderMissing();
  if (method !== "GET" || segments.join("/") !== "metadata/identity/oauth2/token")
    return { status: 404, headers: { Server: SERVER }, body: {} };
  if (!query.get("api-version")) return queryMissing("api-version");
  const resource = query.get("resource");
  if (!resource) return queryMissing("resource");
  const picked = machine.pick({
    clientId: query.get("client_id") ?? undefined,
    objectId: query.get("object_id") ?? undefined,
    resourceId: query.get("msi_res_id") ?? query.get("mi_res_id") ?? undefined,
  });
  if (picked === "none") return identityNotFound();
  if (picked === "several") return severalIdentities();
  return { ...tokenAnswer(picked, resource, tokens), identity: picked.principal.appId };
}

/** Numbers are strings in this answer, as on the page above. */
function tokenAnswer({ principal }: ManagedIdentity, resource: string, tokens: TokenIssuer): Answer {
  const cloud = CLOUDS[principal.cloud];
  const audience = registeredAudience(cloud, resource);
  if (audience === undefined) return resourceUnknown(resource, principal.tenantId);
  const [now, lifetime] = [tokens.now(), tokens.lifetimeSeconds];
  return {
    status: 200,
    audience,
    headers: { Server: SERVER },
    body: {
      access_token: tokens.issue({ principal, cloud, audience }),
      client_id: principal.appId,
      expires_in: String(lifetime),
      expires_on: String(now + lifetime),
      ext_expires_in: String(lifetime),
      not_before: String(now),
      resource,
      token_type: "Bearer",
    },
  };
}
