import type { Directory } from "../entra/directory.ts";
import { EmulatorInputError } from "../input-error.ts";
import { CLOUDS, type CloudName } from "../network/clouds.ts";
import type { EventObject, NewVersion, VaultFacts } from "../queues/event-form.ts";
import { API_VERSIONS } from "./api-versions.ts";
import { DEFAULT_DAYS } from "./attributes-wire.ts";
import type { CertificateCollection } from "./certificate-collection.ts";
import type { KeyCollection } from "./key-collection.ts";
import { type KindPermission, type Permission, withKind } from "./permissions.ts";
import { SecretCollection } from "./secret-collection.ts";
import { Throttle } from "./throttle.ts";
import { type Version, VersionedCollection } from "./versioned-collection.ts";

export interface Vault extends VaultFacts {
  readonly secrets: SecretCollection;
  readonly keys: KeyCollection;
  readonly certificates: CertificateCollection;
  /** Access policies by application id. */
  readonly grants: Map<string, ReadonlySet<KindPermission>>;
  readonly throttle: Throttle;
  /** API versions that the vault knows, the latest last. */
  apiVersions: readonly string[];
  /** Number of days during which a client can recover an object that it deleted. As in Azure, soft delete cannot be switched off. */
  readonly recoverableDays: number;
}

export interface NewVault {
  readonly name: string;
  readonly cloud: CloudName;
  readonly tenantId?: string | undefined;
  readonly apiVersions?: readonly string[] | undefined;
  readonly recoverableDays?: number | undefined;
}

/** All vaults. Names are unique over all clouds, which the real service guarantees only within one cloud. */
export class VaultStore {
  readonly #vaults = new Map<string, Vault>();
  readonly #directory: Directory;
  readonly #now: () => number;
  readonly #announce: (vault: VaultFacts, version: NewVersion) => void;

  /** Calls `announce` for each new version of an object. The key and the secret of a certificate count as the certificate. */
  constructor(directory: Directory, now: () => number, announce: (vault: VaultFacts, version: NewVersion) => void) {
    this.#directory = directory;
    this.#now = now;
    this.#announce = announce;
  }

  create({ name, cloud, tenantId, apiVersions = API_VERSIONS, recoverableDays = DEFAULT_DAYS }: NewVault): Vault {
    const key = name.toLowerCase();
    if (this.#vaults.has(key)) throw new EmulatorInputError(`name: the vault ${name} exists already; choose another name`);
    const reported = (object: EventObject, { name, version, notBefore, expires }: Version): void =>
      this.#announce(vault, { object, name, version, notBefore: notBefore ?? null, expires: expires ?? null });
    const vault: Vault = {
      name: key,
      cloud,
      tenantId: this.#directory.registerTenant(cloud, tenantId),
      url: `https://${key}.${CLOUDS[cloud].vaultSuffix}/`,
      secrets: new SecretCollection(this.#now, (added) => added.kid === undefined && reported("Secret", added)),
      keys: new VersionedCollection(this.#now, (added) => added.managed !== true && reported("Key", added)),
      certificates: new VersionedCollection(this.#now, (added) => reported("Certificate", added)),
      grants: new Map(),
      throttle: new Throttle(),
      apiVersions,
      recoverableDays,
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

  grant(vaultName: string, appId: string, permissions: readonly Permission[]): void {
    const { grants } = this.require(vaultName);
    const principal = this.#directory.requirePrincipal(appId);
    grants.set(principal.appId, new Set([...(grants.get(principal.appId) ?? []), ...permissions.map(withKind)]));
  }

  revoke(vaultName: string, appId: string, permissions: readonly Permission[]): void {
    const { grants } = this.require(vaultName);
    const key = appId.toLowerCase();
    const taken = permissions.map(withKind);
    grants.set(key, new Set([...(grants.get(key) ?? [])].filter((held) => !taken.includes(held))));
  }
}

export function factsOf({ name, cloud, tenantId, url }: Vault): VaultFacts {
  return { name, cloud, tenantId, url };
}
