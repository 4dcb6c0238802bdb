/**
 * The Azure clouds the emulator answers for, by their real host names. A name that is not here does not exist.
 *
 * Sources: https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates (DNS suffixes) and
 * https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud (Entra hosts). The last two are nobody's: a cloud of
 * one's own, and one whose vaults take tokens for an audience of another domain, as those of Azure Stack Hub do.
 */
export interface Cloud {
  readonly name: CloudName;
  readonly vaultSuffix: string;
  /** The audience of a token for the data plane, and the `resource` of the challenge. */
  readonly vaultResource: string;
  readonly queueSuffix: string;
  /** The audience of a token for a storage account. */
  readonly storageResource: string;
  /** First is the canonical one. MSAL replaces China's documented name by its preferred alias, so both must answer. */
  readonly entraHosts: readonly [string, ...string[]];
  /** Host of the `iss` claim in v1.0 tokens. */
  readonly issuerHost: string;
  /** Another registered audience, so that a token for the wrong API can be had and must be refused by the vault. */
  readonly managementResource: string;
  /** The other clouds do not know it: instance discovery, which is theirs, refuses its authority. */
  readonly isPrivate?: true;
}

export const CLOUD_NAMES = ["public", "us-government", "china", "germany", "private", "private-stack"] as const;

export type CloudName = (typeof CLOUD_NAMES)[number];

export const CLOUDS: Readonly<Record<CloudName, Cloud>> = {
  public: {
    name: "public",
    vaultSuffix: "vault.azure.net",
    vaultResource: "https://vault.azure.net",
    queueSuffix: "queue.core.windows.net",
    storageResource: "https://storage.azure.com",
    entraHosts: ["login.microsoftonline.com"],
    issuerHost: "sts.windows.net",
    managementResource: "https://management.azure.com",
  },
  "us-government": {
    name: "us-government",
    vaultSuffix: "vault.usgovcloudapi.net",
    vaultResource: "https://vault.usgovcloudapi.net",
    queueSuffix: "queue.core.usgovcloudapi.net",
    storageResource: "https://storage.azure.com",
    entraHosts: ["login.microsoftonline.us"],
    issuerHost: "sts.windows.net",
    managementResource: "https://management.usgovcloudapi.net",
  },
  china: {
    name: "china",
    vaultSuffix: "vault.azure.cn",
    vaultResource: "https://vault.azure.cn",
    queueSuffix: "queue.core.chinacloudapi.cn",
    storageResource: "https://storage.azure.com",
    entraHosts: ["login.chinacloudapi.cn", "login.partner.microsoftonline.cn"],
    issuerHost: "sts.chinacloudapi.cn",
    managementResource: "https://management.chinacloudapi.cn",
  },
  germany: {
    name: "germany",
    vaultSuffix: "vault.microsoftazure.de",
    vaultResource: "https://vault.microsoftazure.de",
    queueSuffix: "queue.core.cloudapi.de",
    storageResource: "https://storage.azure.com",
    entraHosts: ["login.microsoftonline.de"],
    issuerHost: "sts.microsoftonline.de",
    managementResource: "https://management.microsoftazure.de",
  },
  private: {
    name: "private",
    vaultSuffix: "vault.cloud.example",
    vaultResource: "https://vault.cloud.example",
    queueSuffix: "queue.cloud.example",
    storageResource: "https://storage.cloud.example",
    entraHosts: ["login.cloud.example"],
    issuerHost: "sts.cloud.example",
    managementResource: "https://management.cloud.example",
    isPrivate: true,
  },
  "private-stack": {
    name: "private-stack",
    vaultSuffix: "vault.region.stack.example",
    vaultResource: "https://vault.directory.example/4f9b2d60-2a3c-4a57-9e1e-0c6f1d3b7a55",
    queueSuffix: "queue.region.stack.example",
    storageResource: "https://storage.directory.example/4f9b2d60-2a3c-4a57-9e1e-0c6f1d3b7a55",
    entraHosts: ["login.stack.example"],
    issuerHost: "sts.stack.example",
    managementResource: "https://management.directory.example/4f9b2d60-2a3c-4a57-9e1e-0c6f1d3b7a55",
    isPrivate: true,
  },
};

/** What a host name stands for. */
export type Endpoint =
  | { readonly kind: "entra"; readonly cloud: Cloud }
  | { readonly kind: "vault"; readonly cloud: Cloud; readonly vaultName: string }
  | { readonly kind: "queue"; readonly cloud: Cloud; readonly account: string };

const clouds: readonly Cloud[] = Object.values(CLOUDS);

/** `undefined` for every name outside the clouds above, two labels deep included (`a.b.vault.azure.net`). */
export function endpointOf(hostName: string): Endpoint | undefined {
  const host = hostName.toLowerCase();
  for (const cloud of clouds) {
    if (cloud.entraHosts.includes(host)) return { kind: "entra", cloud };
    const vaultName = labelBelow(cloud.vaultSuffix, host);
    if (vaultName !== undefined) return { kind: "vault", cloud, vaultName };
    const account = labelBelow(cloud.queueSuffix, host);
    if (account !== undefined) return { kind: "queue", cloud, account };
  }
  return undefined;
}

/** The one label before a suffix. */
function labelBelow(suffix: string, host: string): string | undefined {
  const label = host.endsWith(`.${suffix}`) ? host.slice(0, -suffix.length - 1) : "";
  return label === "" || label.includes(".") ? undefined : label;
}

/** Every name the serving certificate carries. */
export function certificateNames(): readonly string[] {
  return clouds.flatMap((cloud) => [`*.${cloud.vaultSuffix}`, `*.${cloud.queueSuffix}`, ...cloud.entraHosts]);
}
