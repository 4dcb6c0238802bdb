import type { VaultIdentity } from "./vault-identity.ts";
import type { ListedObject, VaultCertificate, VaultKey, VaultObjectKind, VaultSecret, VaultVersion } from "./vault-object.ts";

/** Which vault, in which cloud, asked under which tenant. */
export interface VaultAddress {
  /** `https://<name>.<suffix>/` */
  readonly vaultUrl: string;
  /** `https://login.microsoftonline.com/` and its kin. */
  readonly authorityHost: string;
  readonly tenantId: string;
  /** Scope of tokens for the vaults of a cloud that the operator describes; absent for the clouds that everybody knows. */
  readonly customScope?: string;
  /** Version of the data plane's API that the operator's description of a cloud asks for; absent: the one that every cloud knows. */
  readonly apiVersion?: string;
}

/** Objects of one vault as one identity sees them. Throws `VaultError`. */
export interface ObjectReader {
  /** `version` undefined: the current one. */
  getSecret(name: string, version: string | undefined, signal: AbortSignal): Promise<VaultSecret>;
  getKey(name: string, version: string | undefined, signal: AbortSignal): Promise<VaultKey>;
  getCertificate(name: string, version: string | undefined, signal: AbortSignal): Promise<VaultCertificate>;
  /** All versions, disabled and expired ones too, in the vault's order, a page at a time: each page is one transaction. */
  listVersions(kind: VaultObjectKind, name: string, signal: AbortSignal): AsyncIterable<readonly VaultVersion[]>;
}

/** One vault as one identity sees it. Throws `VaultError`. */
export interface VaultClient extends ObjectReader {
  /** All objects of a kind, a page at a time: each page is one transaction and holds up to 25. */
  listObjects(kind: VaultObjectKind, signal: AbortSignal): AsyncIterable<readonly ListedObject[]>;
}

/** Hands out one client per (cloud, tenant, vault, identity) and reuses it. */
export interface VaultClients {
  /** `namespace`: of the class that asks. Clients are kept in its share. */
  clientFor(address: VaultAddress, identity: VaultIdentity, namespace: string): VaultClient;
}
