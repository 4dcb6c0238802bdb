import type { IdentityBinding, WorkloadIdentity } from "./ports/vault-identity.ts";
import type { SupportedIdentity } from "./provider-class/this-version.ts";
import type { Sensitive } from "./sensitive.ts";

/** The audience of tokens that Entra exchanges; fixed by Microsoft Entra's workload identity federation. */
export const FEDERATION_AUDIENCE = "api://AzureADTokenExchange";

/** The audience of tokens that the token proxy of an AKS cluster exchanges; fixed by AKS. */
export const BINDING_AUDIENCE = "api://AKSIdentityBinding";

/** Modes in which a token of a ServiceAccount says who asks. */
export type AccountMode = Extract<SupportedIdentity, { readonly kind: "workloadIdentity" | "azureTokenProxy" }>;

export type AccountIdentity = WorkloadIdentity | IdentityBinding;

/** Who takes the tokens of the mode. */
export function audienceOf({ kind }: AccountMode): string {
  return kind === "workloadIdentity" ? FEDERATION_AUDIENCE : BINDING_AUDIENCE;
}

/** Who asks the vault by tokens of an account for {@link audienceOf} the mode. */
export function accountIdentity(
  { kind, clientId }: AccountMode,
  account: AccountIdentity["account"],
  requestToken: (signal: AbortSignal) => Promise<Sensitive>,
): AccountIdentity {
  return { kind: kind === "workloadIdentity" ? "workloadIdentity" : "identityBinding", clientId, account, requestToken };
}
