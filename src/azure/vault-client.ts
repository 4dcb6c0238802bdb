import { CertificateClient } from "@azure/keyvault-certificates";
import { KeyClient } from "@azure/keyvault-keys";
import { SecretClient } from "@azure/keyvault-secrets";

import type { VaultAddress, VaultClient, VaultIdentity } from "../domain/ports.ts";
import { boundedRequest } from "./bounded-request.ts";
import { type AssertionFacts, type Credential, createCredential, RETRY_OPTIONS } from "./credential.ts";
import { withCheckedScope } from "./custom-cloud.ts";
import { errorBodyPolicy } from "./error-body-policy.ts";
import type { SdkNetwork } from "./sdk-network.ts";
import { shareSignIn } from "./shared-sign-in.ts";
import type { VaultRequest } from "./vault-errors.ts";
import { toVaultCertificate, toVaultKey, toVaultSecret, toVaultVersions } from "./vault-objects.ts";

/** Covers a token request and a GET with room for a slow proxy; a vault answers in well under a second. */
const CALL_TIMEOUT_MS = 30_000;

/** Made at the first use, then kept. */
function lazily<T>(create: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= create();
    return made;
  };
}

/** One SDK client for each kind of object. The credential, and with it the token, is shared. */
function createSdkClients(address: VaultAddress, given: Credential, network: SdkNetwork) {
  // The SDK checks that a vault's challenge asks for a token of its own cloud's Key Vault; that stays on, but for clouds that the
  // operator describes, where the credential itself checks it against the description.
  const isCustom = address.customScope !== undefined;
  const additionalPolicies = [...network.additionalPolicies, errorBodyPolicy];
  const options = { ...network, retryOptions: RETRY_OPTIONS, additionalPolicies, disableChallengeResourceVerification: isCustom };
  const credential = isCustom ? withCheckedScope(address, given) : given;
  return {
    secrets: lazily(() => new SecretClient(address.vaultUrl, credential, options)),
    keys: lazily(() => new KeyClient(address.vaultUrl, credential, options)),
    certificates: lazily(() => new CertificateClient(address.vaultUrl, credential, options)),
  };
}

type SdkClients = ReturnType<typeof createSdkClients>;

/** How one call is made, bounded and translated; the answer is read within the same bound, since lists ask for further pages. */
type Ask = <T>(
  what: Pick<VaultRequest, "action" | "object" | "name" | "version">,
  call: (request: VaultRequest, abortSignal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
) => Promise<T>;

const versionOption = (version: string | undefined) => (version === undefined ? {} : { version });

type Reads = Pick<VaultClient, "getSecret" | "getKey" | "getCertificate">;

function createReads({ secrets, keys, certificates }: SdkClients, ask: Ask): Reads {
  const action = "get";
  return {
    getSecret: (name, version, signal) =>
      ask(
        { action, object: "secret", name, version },
        async (request, abortSignal) => toVaultSecret(await secrets().getSecret(name, { abortSignal, ...versionOption(version) }), request),
        signal,
      ),
    getKey: (name, version, signal) =>
      ask(
        { action, object: "key", name, version },
        async (request, abortSignal) => toVaultKey(await keys().getKey(name, { abortSignal, ...versionOption(version) }), request),
        signal,
      ),
    getCertificate: (name, version, signal) =>
      ask(
        { action, object: "certificate", name, version },
        async (request, abortSignal) => {
          const client = certificates();
          const found =
            version === undefined
              ? await client.getCertificate(name, { abortSignal })
              : await client.getCertificateVersion(name, version, { abortSignal });
          return toVaultCertificate(found, request);
        },
        signal,
      ),
  };
}

type Lists = Pick<VaultClient, "listSecretVersions" | "listKeyVersions" | "listCertificateVersions">;

function createLists({ secrets, keys, certificates }: SdkClients, ask: Ask): Lists {
  const list = { action: "list", version: undefined } as const;
  return {
    listSecretVersions: (name, signal) =>
      ask(
        { ...list, object: "secret", name },
        (request, abortSignal) => toVaultVersions(secrets().listPropertiesOfSecretVersions(name, { abortSignal }), request),
        signal,
      ),
    listKeyVersions: (name, signal) =>
      ask(
        { ...list, object: "key", name },
        (request, abortSignal) => toVaultVersions(keys().listPropertiesOfKeyVersions(name, { abortSignal }), request),
        signal,
      ),
    listCertificateVersions: (name, signal) =>
      ask(
        { ...list, object: "certificate", name },
        (request, abortSignal) => toVaultVersions(certificates().listPropertiesOfCertificateVersions(name, { abortSignal }), request),
        signal,
      ),
  };
}

export interface VaultClientOptions {
  readonly network: SdkNetwork;
  /** Bound of one call, token request included. */
  readonly timeoutMs?: number;
}

/** Calls reject with the signal's reason when that aborts, with a `VaultError` otherwise. */
export function createVaultClient(address: VaultAddress, identity: VaultIdentity, options: VaultClientOptions): VaultClient {
  const { network, timeoutMs = CALL_TIMEOUT_MS } = options;
  const assertion: AssertionFacts = { issuer: undefined };
  const credential = shareSignIn(createCredential(address, identity, { assertion, network }));
  const clients = createSdkClients(address, credential, network);
  const ask: Ask = (what, call, signal) => {
    const request: VaultRequest = { address, identity, assertion, ...what };
    return boundedRequest(request, (abortSignal) => call(request, abortSignal), { timeoutMs, signal });
  };
  return { ...createReads(clients, ask), ...createLists(clients, ask) };
}
