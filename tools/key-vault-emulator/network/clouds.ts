/**
 * The Azure clouds that the emulator emulates, with their real host names. Any other name does not exist.
 *
 * Sources: https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates (DNS suffixes) and
 * https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud (Entra hosts). The last two clouds are made up: a
 * private cloud, and one whose vaults accept tokens for an audience in another domain, as the vaults of Azure Stack Hub do.
 */
export interface Cloud {
  readonly name: CloudName;
  readonly vaultSuffix: string;
  /** The audience of a token for the data plane, and the `resource` of the challenge. */
  readonly vaultResource: string;
  readonly queueSuffix: string;
  /** The audience of a token for a storage account. */
  readonly storageResource: string;
  /** The first one is canonical. MSAL replaces China's documented name by its preferred alias, so that both must answer. */
  readonly entraHosts: readonly [string, ...string[]];
  /** Host of the `iss` claim in v1.0 tokens. */
  readonly issuerHost: string;
  /** Another registered audience, so that a test can get a token for the wrong API, which the vault must reject. */
  readonly managementResource: string;
  /** The other clouds do not know this cloud: their instance discovery rejects its authority. */
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

/** The service behind a host name. */
export type Endpoint =
  | { readonly kind: "entra"; readonly cloud: Cloud }
  | { readonly kind: "vault"; readonly cloud: Cloud; readonly vaultName: string }
  | { readonly kind: "queue"; readonly cloud: Cloud; readonly account: string };

const clouds: readonly Cloud[] = Object.values(CLOUDS);

/** `undefined` for every name outside the clouds above, also with two labels before the suffix (`a.b.vault.azure.net`). */
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

/** Returns the single label before a suffix. */
function labelBelow(suffix: string, host: string): string | undefined {
  const label = host.endsWith(`.${suffix}`) ? host.slice(0, -suffix.length - 1) : "";
  return label === "" || label.includes(".") ? undefined : label;
}

/** Names in the serving certificate. */
export function certificateNames(): readonly string[] {
  return clouds.flatMap((cloud) => [`*.${cloud.vaultSuffix}`, `*.${cloud.queueSuffix}`, ...cloud.entraHosts]);
}
