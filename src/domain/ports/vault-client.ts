import type { VaultIdentity } from "./vault-identity.ts";
import type { ListedObject, VaultCertificate, VaultKey, VaultObjectKind, VaultSecret, VaultVersion } from "./vault-object.ts";

/** A vault with its cloud and the tenant for the sign-in. */
export interface VaultAddress {
  /** `https://<name>.<suffix>/` */
  readonly vaultUrl: string;
  /** Such as `https://login.microsoftonline.com/`. */
  readonly authorityHost: string;
  readonly tenantId: string;
  /** Scope of tokens for the vaults of a custom cloud, which the operator describes; absent for the well-known clouds. */
  readonly customScope?: string;
  /** API version of the data plane in the operator's description of a cloud; absent: the version that every cloud supports. */
  readonly apiVersion?: string;
}

/** Reads objects of one vault with one identity. Throws `VaultError`. */
export interface ObjectReader {
  /** `version` undefined: the current one. */
  getSecret(name: string, version: string | undefined, signal: AbortSignal): Promise<VaultSecret>;
  getKey(name: string, version: string | undefined, signal: AbortSignal): Promise<VaultKey>;
  getCertificate(name: string, version: string | undefined, signal: AbortSignal): Promise<VaultCertificate>;
  /** Lists all versions, including disabled and expired ones, in the vault's order, page by page. Each page is one transaction. */
  listVersions(kind: VaultObjectKind, name: string, signal: AbortSignal): AsyncIterable<readonly VaultVersion[]>;
}

/** One vault, accessed with one identity. Throws `VaultError`. */
export interface VaultClient extends ObjectReader {
  /** Lists all objects of a kind, page by page. Each page is one transaction and contains up to 25 objects. */
  listObjects(kind: VaultObjectKind, signal: AbortSignal): AsyncIterable<readonly ListedObject[]>;
}

/** Provides one client per (cloud, tenant, vault, identity) and reuses it. */
export interface VaultClients {
  /** `namespace`: namespace of the class, in whose share the client is kept. */
  clientFor(address: VaultAddress, identity: VaultIdentity, namespace: string): VaultClient;
}
