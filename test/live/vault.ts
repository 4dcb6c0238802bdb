import { randomBytes } from "node:crypto";
import { ClientSecretCredential } from "@azure/identity";
import { SecretClient } from "@azure/keyvault-secrets";
import { findCloud } from "../../src/domain/provider-class/clouds.ts";
import type { LiveSettings } from "./settings.ts";

/** The vault as its owner sees it, through the official SDK and without our own code. */
export interface LiveVault {
  /** Name of the secret that the walk-through syncs. */
  readonly secretName: string;
  currentValue(): Promise<string>;
  /** Sets a new random value, if the run may write. */
  rotate(): Promise<void>;
  /** Deletes and purges the secret that this run created. Resolves with an error message if this fails. */
  cleanUp(): Promise<string | undefined>;
}

export function openLiveVault({ tenantId, clientId, clientSecret, vault, cloudName, mayWrite, ...settings }: LiveSettings): LiveVault {
  const cloud = findCloud(cloudName || "AzurePublicCloud");
  if (!cloud.ok) throw new Error(`LIVE_CLOUD_NAME: ${cloud.error}`);
  const { authorityHost, vaultSuffix } = cloud.value;
  const credential = new ClientSecretCredential(tenantId, clientId, clientSecret, { authorityHost });
  const client = new SecretClient(`https://${vault}.${vaultSuffix}/`, credential);
  const secretName = mayWrite ? `keyvault-injector-live-${randomBytes(6).toString("hex")}` : settings.secretName;
  let isMade = false;
  return {
    secretName,
    currentValue: async () => (await client.getSecret(secretName)).value ?? "",
    rotate: async () => {
      // Set this before the call: the secret may exist even if no answer arrives.
      isMade = true;
      await client.setSecret(secretName, randomBytes(18).toString("base64url"));
    },
    cleanUp: async () => (isMade ? deleteForGood(client, secretName) : undefined),
  };
}

async function deleteForGood(client: SecretClient, name: string): Promise<string | undefined> {
  try {
    const { recoveryId } = await (await client.beginDeleteSecret(name, { intervalInMs: 1_000 })).pollUntilDone();
    if (recoveryId !== undefined) await client.purgeDeletedSecret(name);
    return undefined;
  } catch (error) {
    return `the secret ${name} is left in the vault or in its list of deleted ones (${error instanceof Error ? error.name : "unknown error"})`;
  }
}
