import type { Directory } from "../entra/directory.ts";
import { EmulatorInputError } from "../input-error.ts";
import { CLOUDS, type CloudName } from "../network/clouds.ts";
import { SecretCollection } from "./secret-collection.ts";

export const SECRET_PERMISSIONS = ["get", "list", "set"] as const;

export type SecretPermission = (typeof SECRET_PERMISSIONS)[number];

export interface VaultFacts {
  readonly name: string;
  readonly cloud: CloudName;
  readonly tenantId: string;
  /** With a trailing slash, as the portal shows it. */
  readonly url: string;
}

export interface Vault extends VaultFacts {
  readonly secrets: SecretCollection;
  /** Access policies by application id. */
  readonly grants: Map<string, ReadonlySet<SecretPermission>>;
}

export interface NewVault {
  readonly name: string;
  readonly cloud: CloudName;
  readonly tenantId?: string | undefined;
}

/** All vaults; names are unique over all clouds, which the real service only promises within one. */
export class VaultStore {
  readonly #vaults = new Map<string, Vault>();
  readonly #directory: Directory;
  readonly #now: () => number;

  constructor(directory: Directory, now: () => number) {
    this.#directory = directory;
    this.#now = now;
  }

  create({ name, cloud, tenantId }: NewVault): Vault {
    const key = name.toLowerCase();
    if (this.#vaults.has(key)) throw new EmulatorInputError(`name: the vault ${name} exists already; choose another name`);
    const vault: Vault = {
      name: key,
      cloud,
      tenantId: this.#directory.registerTenant(cloud, tenantId),
      url: `https://${key}.${CLOUDS[cloud].vaultSuffix}/`,
      secrets: new SecretCollection(this.#now),
      grants: new Map(),
    };
    this.#vaults.set(key, vault);
    return vault;
  }

  delete(name: string): void {
    this.#vaults.delete(this.require(name).name);
  }

  find(name: string): Vault | undefined {
    return this.#vaults.get(name.toLowerCase());
  }

  require(name: string): Vault {
    const vault = this.find(name);
    if (vault === undefined) throw new EmulatorInputError(`vault: no vault ${name}; create it first`);
    return vault;
  }

  grant(vaultName: string, appId: string, permissions: readonly SecretPermission[]): void {
    const { grants } = this.require(vaultName);
    const principal = this.#directory.requirePrincipal(appId);
    grants.set(principal.appId, new Set([...(grants.get(principal.appId) ?? []), ...permissions]));
  }

  revoke(vaultName: string, appId: string, permissions: readonly SecretPermission[]): void {
    const { grants } = this.require(vaultName);
    const key = appId.toLowerCase();
    grants.set(key, new Set([...(grants.get(key) ?? [])].filter((held) => !permissions.includes(held))));
  }
}

export function factsOf({ name, cloud, tenantId, url }: Vault): VaultFacts {
  return { name, cloud, tenantId, url };
}
