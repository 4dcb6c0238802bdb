import { type KeyVaultSecret, SecretClient } from "@azure/keyvault-secrets";

import type { VaultAddress, VaultClient, VaultIdentity, VaultSecret } from "../domain/ports.ts";
import { Sensitive } from "../domain/sensitive.ts";
import { boundedCall, CallTimeout } from "./bounded-call.ts";
import { errorBodyPolicy } from "./error-body-policy.ts";
import { networkCode } from "./service-answer.ts";
import { createCredential, RETRY_OPTIONS } from "./service-principal.ts";
import { translateError, type VaultRequest, vaultError } from "./vault-errors.ts";

/** Covers a token request and a GET with room for a slow proxy; a vault answers in well under a second. */
const CALL_TIMEOUT_MS = 30_000;

/** Key Vault's own rule for names and version ids. Anything else could change the path of the request. */
const PATH_SEGMENT = /^[-0-9a-zA-Z]{1,127}$/;

/** The other side closed an idle connection as we used it: says nothing of the vault, and the next one is fresh. */
const STALE_CONNECTION = new Set(["ECONNRESET", "EPIPE"]);

async function withFreshConnection<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!STALE_CONNECTION.has(networkCode(error) ?? "")) throw error;
    return call();
  }
}

function toVaultSecret({ value, properties }: KeyVaultSecret, request: VaultRequest): VaultSecret {
  const { version, contentType, certificateKeyId, updatedOn, expiresOn, notBefore } = properties;
  if (value === undefined || version === undefined) {
    const words = value === undefined ? "secret value is nil" : "secret id is nil";
    throw vaultError(request, { code: "Invalid", retry: { kind: "never" }, words });
  }
  return {
    value: Sensitive.ofText(value),
    version,
    contentType,
    keyId: certificateKeyId?.toString(),
    updated: updatedOn?.getTime(),
    expires: expiresOn?.getTime(),
    notBefore: notBefore?.getTime(),
  };
}

function assertPathSegments(request: VaultRequest): void {
  const { name, version } = request;
  if (PATH_SEGMENT.test(name) && (version === undefined || PATH_SEGMENT.test(version))) return;
  const words = "names and versions are 1 to 127 letters, digits and -; correct objectName or objectVersion";
  throw vaultError(request, { code: "Invalid", retry: { kind: "never" }, words });
}

/** Rejects with the signal's reason when that aborts, with a `VaultError` otherwise. */
export function createVaultClient(address: VaultAddress, identity: VaultIdentity, timeoutMs = CALL_TIMEOUT_MS): VaultClient {
  // The SDK checks that a vault's challenge asks for a token of its own cloud's Key Vault; that stays on.
  const client = new SecretClient(address.vaultUrl, createCredential(address, identity), {
    retryOptions: RETRY_OPTIONS,
    additionalPolicies: [errorBodyPolicy],
  });
  return {
    async getSecret(name, version, signal) {
      const request: VaultRequest = { address, clientId: identity.clientId, name, version };
      assertPathSegments(request);
      const get = (abortSignal: AbortSignal) =>
        withFreshConnection(() => client.getSecret(name, { abortSignal, ...(version === undefined ? {} : { version }) }));
      let secret: KeyVaultSecret;
      try {
        secret = await boundedCall(get, timeoutMs, signal);
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (!(error instanceof CallTimeout)) throw translateError(error, request);
        const words = `${error.message}; check the cluster's way to the vault and to ${address.authorityHost}`;
        throw vaultError(request, { code: "Unreachable", retry: { kind: "backoff" }, words });
      }
      return toVaultSecret(secret, request);
    },
  };
}
