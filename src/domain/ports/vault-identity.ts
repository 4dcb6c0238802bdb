import type { Sensitive } from "../sensitive.ts";

/** An application with a client secret. */
export interface ServicePrincipalIdentity {
  readonly kind: "servicePrincipal";
  readonly clientId: string;
  readonly clientSecret: Sensitive;
}

/** An application, or a user-assigned managed identity, that trusts a ServiceAccount by a federated credential. */
export interface WorkloadIdentity {
  readonly kind: "workloadIdentity";
  readonly clientId: string;
  readonly account: { readonly namespace: string; readonly name: string };
  /** A fresh token of the account for `api://AzureADTokenExchange`. Throws `VaultError`. */
  readonly requestToken: (signal: AbortSignal) => Promise<Sensitive>;
}

/** An identity of the machine that we run on; without `clientId` its system-assigned one. */
export interface ManagedIdentity {
  readonly kind: "managedIdentity";
  readonly clientId: string | undefined;
}

/** Who asks. */
export type VaultIdentity = ServicePrincipalIdentity | WorkloadIdentity | ManagedIdentity;
