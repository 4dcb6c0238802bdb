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
 * The SDK does not repeat a request: the worker's queue does, with the backoff of the whole class in view. The SDK's own
 * three tries would also sleep through a `Retry-After` inside the call, where nobody sees that the vault throttles.
 */
export const RETRY_OPTIONS = { maxRetries: 0 } as const satisfies NonNullable<SecretClientOptions["retryOptions"]>;

/** Covers a slow API server. The SDK asks for an assertion without a signal of its own. */
const ASSERTION_TIMEOUT_MS = 15_000;

/** A token for a vault takes the metadata service well under a second once it knows the identity, some seconds before. */
const METADATA_TIMEOUT_MS = 10_000;

export type Credential = ConstructorParameters<typeof SecretClient>[1];

/** What a refusal of the last assertion must name, and only the token itself says. */
export interface AssertionFacts {
  issuer: string | undefined;
}

export interface CredentialOptions {
  readonly assertion: AssertionFacts;
  readonly network: SdkNetwork;
  /** Of identity bindings; undefined: there are none here. */
  readonly tokenProxy: TokenProxy | undefined;
  /** Of each request for a token (milliseconds). */
  readonly timeoutMs: number;
  readonly traced: TraceHolder;
}

/** The only place that uses a client secret or a ServiceAccount's token. */
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

/** A vault's challenge names its tenant in lower case, and the SDK compares the two as text. */
const tenantOf = ({ tenantId }: VaultAddress): string => tenantId.toLowerCase();

/**
 * A challenge names the vault's tenant by its id. With a domain it can't be compared: the token is asked of the class's tenant all the same,
 * as by the Azure provider, and a vault of another tenant refuses it.
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
  // The public cloud cannot vouch for an authority that it does not know, and a cloud apart does not reach it: the operator's file does.
  const disableInstanceDiscovery = customScope !== undefined;
  const additionalPolicies = [
    ...network.additionalPolicies,
    tracePolicy(traced),
    requestBoundPolicy(timeoutMs),
    answerSizePolicy(TOKEN_ANSWER_BYTES),
    network.freshConnection,
  ];
  // A token of another tenant than the class names is never asked for, whatever a vault's challenge says.
  const additionallyAllowedTenants: string[] = [];
  const options = { authorityHost, additionallyAllowedTenants, retryOptions: RETRY_OPTIONS, disableInstanceDiscovery };
  return { ...network, ...options, additionalPolicies };
}

type EntraOptions = ReturnType<typeof entraOptions>;

function clientSecretCredential(address: VaultAddress, identity: ServicePrincipalIdentity, options: EntraOptions): Credential {
  const { clientId, clientSecret } = identity;
  // Made anew for each sign-in: the SDK's own cache holds a token for valid as long as the machine's clock says, which may be set back.
  return {
    getToken: (...given) => new ClientSecretCredential(tenantOf(address), clientId, textOf(clientSecret), options).getToken(...given),
  };
}

interface Assertion {
  readonly identity: WorkloadIdentity | IdentityBinding;
  readonly facts: AssertionFacts;
}

/**
 * One token of the ServiceAccount for each sign-in, and none kept: the SDK asks for it more than once, and also where it has an access
 * token still. So its part is made anew each time; `shareSignIn` keeps the access token.
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
        // The SDK wraps what goes wrong with the assertion, and may say nothing of it.
        await assertion;
        throw error;
      }
    },
  };
}

/**
 * The same by way of the cluster's token proxy, as the Azure provider does it. The proxy knows nothing of the authority but its path, so that
 * nobody is asked to vouch for it.
 */
function bindingCredential(
  address: VaultAddress,
  assertion: Assertion,
  { options, tokenProxy }: { readonly options: EntraOptions; readonly tokenProxy: TokenProxy | undefined },
): Credential {
  return {
    getToken: async (...given) => {
      if (tokenProxy === undefined) throw new VaultError("IdentityUnavailable", NO_PROXY, { retry: { kind: "never" }, origin: "class" });
      // Before the SDK begins, which would say of its failure only that there was one.
      const additionalPolicies = [...options.additionalPolicies, tokenProxyPolicy(await tokenProxy.route())];
      const proxied = { ...options, additionalPolicies, disableInstanceDiscovery: true };
      return assertionCredential(address, assertion, proxied).getToken(...given);
    },
  };
}

const NO_PROXY = "identity bindings are off; set --identity-bindings if this is an AKS cluster with identity bindings";

/** Rejects with a `VaultError` alone. */
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

/** Tenant and cloud are the machine's own. Its metadata service is a link-local address: no proxy leads there. */
function managedIdentityCredential(clientId: string | undefined): Credential {
  const additionalPolicies = [answerSizePolicy(TOKEN_ANSWER_BYTES)];
  const options = { retryOptions: RETRY_OPTIONS, agent: createDirectAgent(METADATA_TIMEOUT_MS), additionalPolicies };
  return new ManagedIdentityCredential(clientId === undefined ? options : { ...options, clientId });
}

function textOf(sensitive: ServicePrincipalIdentity["clientSecret"]): string {
  return new TextDecoder().decode(sensitive.reveal());
}

/** Equal for equal identities; says nothing about a client secret to somebody without `key`. */
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
