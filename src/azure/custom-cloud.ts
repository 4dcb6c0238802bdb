import type { VaultAddress } from "../domain/ports/vault-client.ts";
import type { Credential } from "./credential.ts";

/**
 * Gives tokens of the scope that the cloud's description names, or of one whose host the vault's own name ends in, which is what the
 * SDK takes. Azure Stack's vaults ask for an audience of another domain; any other is somebody else's.
 */
export function withCheckedScope({ vaultUrl, customScope }: VaultAddress, credential: Credential): Credential {
  const vaultHost = new URL(vaultUrl).hostname;
  const isTaken = (scope: string): boolean => {
    if (normalised(scope) === normalised(customScope ?? "")) return true;
    return URL.canParse(scope) && vaultHost.endsWith(`.${new URL(scope).hostname}`);
  };
  return {
    getToken: (scopes, options) => {
      const foreign = [scopes].flat().find((scope) => !isTaken(scope));
      // In the words of the SDK's own check, so that both are told the same way.
      if (foreign !== undefined) return Promise.reject(new Error("the challenge resource does not match keyVaultEndpoint"));
      return credential.getToken(scopes, options);
    },
  };
}

/** `https://vault.example.com//.default` and `https://vault.example.com/.default` name one audience. */
function normalised(scope: string): string {
  return scope.toLowerCase().replace(/\/+\.default$/, "");
}
