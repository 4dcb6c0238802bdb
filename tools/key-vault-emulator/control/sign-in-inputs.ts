import { z } from "zod";

import { IDENTITY_KINDS } from "../imds/machine.ts";
import { CLOUD_NAMES } from "../network/clouds.ts";
import { identifier } from "./fields.ts";

const text = z.string().min(1, "must not be empty");

/** Inputs for workload identity federation and managed identities. */
export const signInInputs = {
  trustIssuer: z.strictObject({
    /** The `iss` claim of the cluster's service-account tokens. */
    issuer: text,
    /** Source of the keys, one of three: the key with which the cluster signs. */
    publicKeyPem: text.optional(),
    /** The cluster's key set, in the form of `/openid/v1/jwks`. */
    jwks: z.unknown().optional(),
    /** Address of the key set. The emulator reads it once for each call. */
    jwksUri: z.url().optional(),
    /** For `jwksUri`: the CA of its certificate, and the token to send. */
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
    /** By default, the emulator generates one. */
    resourceId: z.string().startsWith("/subscriptions/", "an Azure resource id").optional(),
  }),
} as const;
