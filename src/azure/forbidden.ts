/** Reason for a 403 of Key Vault: the connection, or the identity's permissions. Some 403s are about the object's state. */
import type { ServiceAnswer } from "./service-answer.ts";
import type { VaultVerdict } from "./vault-request.ts";

/**
 * The key is the inner code. Public reports about the network security perimeter also show its code as the outer one. Firewall:
 * https://learn.microsoft.com/azure/key-vault/general/rest-error-codes; connection, including a private endpoint that is not approved:
 * https://github.com/microsoft/multimodal-ai/issues/171 and https://github.com/Azure/azure-cli/issues/31406
 */
const OF_THE_NETWORK: ReadonlyMap<string, (shown: string) => string> = new Map([
  [
    "ForbiddenByFirewall",
    (shown) => `the vault's firewall refuses this address (${shown}); allow the cluster's outbound address, or use a private endpoint`,
  ],
  [
    "ForbiddenByConnection",
    (shown) =>
      `the vault does not allow public network access, and the request did not come through an approved private link (${shown}); create an approved private endpoint of the vault in the cluster's network and have the vault's name resolve to it, or allow public access`,
  ],
  [
    "ForbiddenByNsp",
    (shown) =>
      `the vault's network security perimeter refuses the connection (${shown}); allow the cluster's outbound address in an inbound access rule of the perimeter`,
  ],
]);

/** Returns the code of a refusal by the network, and the remedy; undefined if the refusal has another reason. */
export function networkRefusal({ code, innerCode }: ServiceAnswer, shown: string): Pick<VaultVerdict, "serviceCode" | "words"> | undefined {
  for (const serviceCode of [innerCode, code]) {
    const refusal = OF_THE_NETWORK.get(serviceCode ?? "");
    if (refusal !== undefined) return { serviceCode, words: refusal(shown) };
  }
  return undefined;
}

/** `AccessDenied`: https://learn.microsoft.com/azure/key-vault/general/common-error-codes */
const OF_ACCESS_POLICIES: ReadonlySet<string | undefined> = new Set(["AccessDenied", "ForbiddenByPolicy"]);

/** Returns the permission to grant, as a role or in an access policy, whichever the vault uses. */
export function grantFor(
  innerCode: string | undefined,
  { role, permission }: { readonly role: string; readonly permission: string },
): string {
  if (OF_ACCESS_POLICIES.has(innerCode)) return `grant it ${permission} in the vault's access policies`;
  if (innerCode === "ForbiddenByRbac") return `grant it the role ${role} on the vault`;
  return `grant it the role ${role}, or ${permission} if the vault uses access policies`;
}
