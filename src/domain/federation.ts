import type { IdentityBinding, WorkloadIdentity } from "./ports/vault-identity.ts";
import type { SupportedIdentity } from "./provider-class/this-version.ts";
import type { Sensitive } from "./sensitive.ts";

/** The audience of tokens that Entra exchanges; fixed by Microsoft Entra's workload identity federation. */
export const FEDERATION_AUDIENCE = "api://AzureADTokenExchange";

/** The audience of tokens that the token proxy of an AKS cluster exchanges; fixed by AKS. */
export const BINDING_AUDIENCE = "api://AKSIdentityBinding";

/** Modes in which the token of a ServiceAccount identifies the caller. */
export type AccountMode = Extract<SupportedIdentity, { readonly kind: "workloadIdentity" | "azureTokenProxy" }>;

export type AccountIdentity = WorkloadIdentity | IdentityBinding;

/** Returns the audience that accepts tokens in this mode. */
export function audienceOf({ kind }: AccountMode): string {
  return kind === "workloadIdentity" ? FEDERATION_AUDIENCE : BINDING_AUDIENCE;
}

/** Returns the identity that queries the vault with tokens of an account for {@link audienceOf} the mode. */
export function accountIdentity(
  { kind, clientId }: AccountMode,
  account: AccountIdentity["account"],
  requestToken: (signal: AbortSignal) => Promise<Sensitive>,
): AccountIdentity {
  return { kind: kind === "workloadIdentity" ? "workloadIdentity" : "identityBinding", clientId, account, requestToken };
}
