import { createHmac } from "node:crypto";

import { ClientSecretCredential } from "@azure/identity";
import type { SecretClientOptions } from "@azure/keyvault-secrets";

import type { VaultAddress, VaultIdentity } from "../domain/ports.ts";

/**
 * The SDK does not repeat a request: the worker's queue does, with the backoff of the whole class in view. The SDK's own
 * three tries would also sleep through a `Retry-After` inside the call, where nobody sees that the vault throttles.
 */
export const RETRY_OPTIONS = { maxRetries: 0 } as const satisfies NonNullable<SecretClientOptions["retryOptions"]>;

/** The only place that uses a client secret. */
export function createCredential({ authorityHost, tenantId }: VaultAddress, identity: VaultIdentity): ClientSecretCredential {
  const clientSecret = new TextDecoder().decode(identity.clientSecret.reveal());
  // A vault's challenge names its tenant in lower case, and the SDK compares the two as text.
  return new ClientSecretCredential(tenantId.toLowerCase(), identity.clientId, clientSecret, {
    authorityHost,
    // A token for another tenant than the class names is never asked for, whatever a vault's challenge says.
    additionallyAllowedTenants: [],
    retryOptions: RETRY_OPTIONS,
  });
}

/** Equal for equal identities; says nothing about the client secret to somebody without `key`. */
export function fingerprintOf(identity: VaultIdentity, key: Uint8Array): string {
  const digest = createHmac("sha256", key).update(identity.clientSecret.reveal()).digest("hex");
  return JSON.stringify([identity.kind, identity.clientId, digest]);
}
