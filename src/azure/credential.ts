import { createHmac } from "node:crypto";

import { ClientAssertionCredential, ClientSecretCredential, ManagedIdentityCredential } from "@azure/identity";
import type { SecretClient, SecretClientOptions } from "@azure/keyvault-secrets";

import type { VaultAddress } from "../domain/ports/vault-client.ts";
import { VaultError } from "../domain/ports/vault-error.ts";
import type { IdentityBinding, ServicePrincipalIdentity, VaultIdentity, WorkloadIdentity } from "../domain/ports/vault-identity.ts";
import { answerSizePolicy, TOKEN_ANSWER_BYTES } from "./answer-size.ts";
import { issuerOf } from "./assertion-issuer.ts";
import { boundedCall, CallTimeout } from "./bounded-call.ts";
import { createDirectAgent } from "./direct-agent.ts";
import { requestBoundPolicy } from "./request-bound.ts";
import type { SdkNetwork } from "./sdk-network.ts";
import { type TraceHolder, tracePolicy } from "./sign-in-trace.ts";
import { type TokenProxy, tokenProxyPolicy } from "./token-proxy.ts";

/**
 * The SDK does not retry requests. The worker's queue does, because it knows the backoff of the whole class. The SDK's own three attempts
 * would also sleep through a `Retry-After` inside the call, and the worker would not see that the vault throttles.
 */
export const RETRY_OPTIONS = { maxRetries: 0 } as const satisfies NonNullable<SecretClientOptions["retryOptions"]>;

/** Covers a slow API server. The SDK requests an assertion without a signal of its own. */
const ASSERTION_TIMEOUT_MS = 15_000;

/** The metadata service returns a token for a vault in well under a second if it knows the identity, otherwise in some seconds. */
const METADATA_TIMEOUT_MS = 10_000;

export type Credential = ConstructorParameters<typeof SecretClient>[1];

/** Facts that the message about a rejected assertion must contain, and that only the token itself provides. */
export interface AssertionFacts {
  issuer: string | undefined;
}

export interface CredentialOptions {
  readonly assertion: AssertionFacts;
  readonly network: SdkNetwork;
  /** Token proxy for identity bindings; undefined if there are none here. */
  readonly tokenProxy: TokenProxy | undefined;
  /** Time limit of each token request in milliseconds. */
  readonly timeoutMs: number;
  readonly traced: TraceHolder;
}

/** Creates the SDK's credential. Only this file uses a client secret or a ServiceAccount's token. */
export function createCredential(address: VaultAddress, identity: VaultIdentity, { assertion, ...given }: CredentialOptions): Credential {
  const options = entraOptions(address, given);
  switch (identity.kind) {
    case "servicePrincipal":
      return ofNamedTenant(address, clientSecretCredential(address, identity, options));
    case "workloadIdentity":
      return ofNamedTenant(address, assertionCredential(address, { identity, facts: assertion }, options));
    case "identityBinding":
      return ofNamedTenant(address, bindingCredential(address, { identity, facts: assertion }, { options, tokenProxy: given.tokenProxy }));
    case "managedIdentity":
      return managedIdentityCredential(identity.clientId);
  }
}

/** Returns the tenant in lower case, as a vault's challenge names it: the SDK compares the two as text. */
const tenantOf = ({ tenantId }: VaultAddress): string => tenantId.toLowerCase();

/**
 * Drops the tenant of a vault's challenge if the class names a domain. A challenge names the vault's tenant by its id, which cannot be
 * compared with a domain. The worker still requests the token from the class's tenant, as the Azure provider does, and a vault of another
 * tenant rejects it.
 */
function ofNamedTenant(address: VaultAddress, credential: Credential): Credential {
  if (!address.tenantId.includes(".")) return credential;
  return {
    getToken: (scopes, given = {}) => {
      const { tenantId: _, ...options } = given;
      return credential.getToken(scopes, options);
    },
  };
}

function entraOptions(
  { authorityHost, customScope }: VaultAddress,
  { network, timeoutMs, traced }: Pick<CredentialOptions, "network" | "timeoutMs" | "traced">,
) {
  // The public cloud cannot confirm an authority that it does not know, and an isolated cloud cannot reach the public cloud. The operator's
  // file confirms the authority instead.
  const disableInstanceDiscovery = customScope !== undefined;
  const additionalPolicies = [
    ...network.additionalPolicies,
    tracePolicy(traced),
    requestBoundPolicy(timeoutMs),
    answerSizePolicy(TOKEN_ANSWER_BYTES),
    network.freshConnection,
  ];
  // The worker never requests a token of a tenant other than the class's, whatever a vault's challenge names.
  const additionallyAllowedTenants: string[] = [];
  const options = { authorityHost, additionallyAllowedTenants, retryOptions: RETRY_OPTIONS, disableInstanceDiscovery };
  return { ...network, ...options, additionalPolicies };
}

type EntraOptions = ReturnType<typeof entraOptions>;

function clientSecretCredential(address: VaultAddress, identity: ServicePrincipalIdentity, options: EntraOptions): Credential {
  const { clientId, clientSecret } = identity;
  // Created for each sign-in: the SDK's own cache uses the machine's clock to decide whether a token is still valid, and that clock may be
  // set back.
  return {
    getToken: (...given) => new ClientSecretCredential(tenantOf(address), clientId, textOf(clientSecret), options).getToken(...given),
  };
}

interface Assertion {
  readonly identity: WorkloadIdentity | IdentityBinding;
  readonly facts: AssertionFacts;
}

/**
 * Requests one ServiceAccount token for each sign-in, and keeps none. The SDK asks for it more than once, even if it still has an access
 * token. For this reason the SDK's credential is created for each sign-in; `shareSignIn` keeps the access token.
 */
function assertionCredential(address: VaultAddress, { identity, facts }: Assertion, options: EntraOptions): Credential {
  return {
    getToken: async (...given) => {
      let assertion: Promise<string> | undefined;
      const once = (): Promise<string> => {
        assertion ??= requestAssertion(identity, facts);
        return assertion;
      };
      try {
        return await new ClientAssertionCredential(tenantOf(address), identity.clientId, once, options).getToken(...given);
      } catch (error) {
        // The SDK wraps a failure of the assertion, and may hide it.
        await assertion;
        throw error;
      }
    },
  };
}

/**
 * Signs in through the cluster's token proxy, as the Azure provider does. The proxy knows only the path of the authority, so instance
 * discovery is off.
 */
function bindingCredential(
  address: VaultAddress,
  assertion: Assertion,
  { options, tokenProxy }: { readonly options: EntraOptions; readonly tokenProxy: TokenProxy | undefined },
): Credential {
  return {
    getToken: async (...given) => {
      if (tokenProxy === undefined) throw new VaultError("IdentityUnavailable", NO_PROXY, { retry: { kind: "never" }, origin: "class" });
      // Get the route before the SDK starts: the SDK would report only that it failed, not why.
      const additionalPolicies = [...options.additionalPolicies, tokenProxyPolicy(await tokenProxy.route())];
      const proxied = { ...options, additionalPolicies, disableInstanceDiscovery: true };
      return assertionCredential(address, assertion, proxied).getToken(...given);
    },
  };
}

const NO_PROXY = "identity bindings are off; set --identity-bindings if this is an AKS cluster with identity bindings";

/** Rejects only with a `VaultError`. */
async function requestAssertion({ account, requestToken }: Assertion["identity"], facts: AssertionFacts): Promise<string> {
  try {
    const token = textOf(await boundedCall(requestToken, ASSERTION_TIMEOUT_MS));
    facts.issuer = issuerOf(token);
    return token;
  } catch (error) {
    if (!(error instanceof CallTimeout)) throw error;
    const words = `the API server issued no token for the ServiceAccount ${account.name}: ${error.message}`;
    throw new VaultError("Unreachable", words, { retry: { kind: "backoff" }, origin: "apiServer" });
  }
}

/** Tenant and cloud are those of the machine. Its metadata service has a link-local address, which no proxy reaches. */
function managedIdentityCredential(clientId: string | undefined): Credential {
  const additionalPolicies = [answerSizePolicy(TOKEN_ANSWER_BYTES)];
  const options = { retryOptions: RETRY_OPTIONS, agent: createDirectAgent(METADATA_TIMEOUT_MS), additionalPolicies };
  return new ManagedIdentityCredential(clientId === undefined ? options : { ...options, clientId });
}

function textOf(sensitive: ServicePrincipalIdentity["clientSecret"]): string {
  return new TextDecoder().decode(sensitive.reveal());
}

/** Returns equal texts for equal identities. Reveals nothing about a client secret to anyone without `key`. */
export function fingerprintOf(identity: VaultIdentity, key: Uint8Array): string {
  switch (identity.kind) {
    case "servicePrincipal": {
      const digest = createHmac("sha256", key).update(identity.clientSecret.reveal()).digest("hex");
      return JSON.stringify([identity.kind, identity.clientId, digest]);
    }
    case "workloadIdentity":
    case "identityBinding":
      return JSON.stringify([identity.kind, identity.clientId, identity.account.namespace, identity.account.name]);
    case "managedIdentity":
      return JSON.stringify([identity.kind, identity.clientId ?? null]);
  }
}
