/** Version of the Key Vault API: the requested one, and the message of a vault that does not support it. */
import type { VaultAddress } from "../domain/ports/vault-client.ts";

/**
 * Version that Azure provider 1.8.2 requests and that every Azure cloud supports. The newest version that an SDK supports reaches some
 * clouds months later.
 */
const API_VERSION = "7.4";

/**
 * Returns the version to request. The SDK's types name only the versions that it was tested with, but its requests contain any value that
 * it gets.
 */
export function vaultApiVersion({ apiVersion }: VaultAddress): typeof API_VERSION {
  return (apiVersion ?? API_VERSION) as typeof API_VERSION;
}

/** The error has no code of its own. Its message is recorded in https://github.com/Azure/azure-sdk-for-python/issues/28595 */
const UNKNOWN = /^The specified version \([^()]{1,40}\) is not recognized\. Consider using the latest supported version \(([\w.-]{1,40})\)/;

/** Returns the latest version, which the service names in its message about an unknown version; undefined for any other message. */
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
