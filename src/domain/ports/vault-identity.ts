import type { Sensitive } from "../sensitive.ts";

/** An application with a client secret. */
export interface ServicePrincipalIdentity {
  readonly kind: "servicePrincipal";
  readonly clientId: string;
  readonly clientSecret: Sensitive;
}

interface AccountIdentity {
  readonly clientId: string;
  readonly account: { readonly namespace: string; readonly name: string };
  /** Requests a new token of the account, for the audience of the kind. Throws `VaultError`. */
  readonly requestToken: (signal: AbortSignal) => Promise<Sensitive>;
}

/**
 * An application, or a user-assigned managed identity, that trusts a ServiceAccount through a federated credential. Audience:
 * `api://AzureADTokenExchange`.
 */
export interface WorkloadIdentity extends AccountIdentity {
  readonly kind: "workloadIdentity";
}

/**
 * A user-assigned managed identity that is bound to an AKS cluster. The token proxy of the cluster's API server signs in for it. Audience:
 * `api://AKSIdentityBinding`.
 */
export interface IdentityBinding extends AccountIdentity {
  readonly kind: "identityBinding";
}

/** An identity of the machine that the worker runs on; without `clientId`, its system-assigned one. */
export interface ManagedIdentity {
  readonly kind: "managedIdentity";
  readonly clientId: string | undefined;
}

/** Identity for a request to a vault. */
export type VaultIdentity = ServicePrincipalIdentity | WorkloadIdentity | IdentityBinding | ManagedIdentity;
