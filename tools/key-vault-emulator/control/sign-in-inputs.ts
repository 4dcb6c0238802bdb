import { z } from "zod";

import { IDENTITY_KINDS } from "../imds/machine.ts";
import { CLOUD_NAMES } from "../network/clouds.ts";
import { identifier } from "./fields.ts";

const text = z.string().min(1, "must not be empty");

/** Workload identity federation and managed identities. */
export const signInInputs = {
  trustIssuer: z.strictObject({
    /** The `iss` claim of the cluster's service-account tokens. */
    issuer: text,
    /** One of the next three: the key the cluster signs with, … */
    publicKeyPem: text.optional(),
    /** … its key set, as `/openid/v1/jwks` answers, … */
    jwks: z.unknown().optional(),
    /** … or where that is; read now, and again when the issuer is trusted again. */
    jwksUri: z.url().optional(),
    /** For `jwksUri`: who signed its certificate, and the token to send. */
    caPem: text.optional(),
    bearerToken: text.optional(),
  }),
  addTenantDomain: z.strictObject({ tenantId: identifier, domain: z.string().regex(/^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/i, "a domain") }),
  addFederatedCredential: z.strictObject({
    appId: identifier,
    issuer: text,
    subject: text,
    audience: text.default("api://AzureADTokenExchange"),
  }),
  application: z.strictObject({ appId: identifier }),
  createManagedIdentity: z.strictObject({
    kind: z.enum(IDENTITY_KINDS),
    cloud: z.enum(CLOUD_NAMES).default("public"),
    tenantId: identifier.optional(),
    appId: identifier.optional(),
    /** Default one that the emulator makes up. */
    resourceId: z.string().startsWith("/subscriptions/", "an Azure resource id").optional(),
  }),
} as const;
