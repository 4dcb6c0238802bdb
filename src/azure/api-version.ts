/** The version of Key Vault's API: which one is asked for, and what a vault says that does not know it. */
import type { VaultAddress } from "../domain/ports/vault-client.ts";

/** What Azure provider 1.8.2 asks for, and every cloud of Azure knows: the newest that an SDK knows reaches some of them months later. */
const API_VERSION = "7.4";

/** The SDK puts whatever it is given into its requests; its types name the versions that it was tested with. */
export function vaultApiVersion({ apiVersion }: VaultAddress): typeof API_VERSION {
  return (apiVersion ?? API_VERSION) as typeof API_VERSION;
}

/** There is no code for it. As recorded in https://github.com/Azure/azure-sdk-for-python/issues/28595 */
const UNKNOWN = /^The specified version \([^()]{1,40}\) is not recognized\. Consider using the latest supported version \(([\w.-]{1,40})\)/;

/** The latest version that the service names in a message that it does not know another; undefined for any other message. */
export function latestVersionIn(message: unknown): string | undefined {
  return typeof message === "string" ? UNKNOWN.exec(message)?.[1] : undefined;
}

export function unknownVersionWords(address: VaultAddress, latest: string): string {
  const file =
    address.customScope === undefined ? "a cloud file that cloudEnvFileName names" : "the cloud file that cloudEnvFileName names";
  return (
    `the vault does not support version ${vaultApiVersion(address)} of the Key Vault API, only versions up to ${latest}; ` +
    `set keyVaultAPIVersion to ${latest} in ${file}`
  );
}
