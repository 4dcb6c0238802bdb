import { randomBytes, randomUUID, timingSafeEqual } from "node:crypto";
import { EmulatorInputError } from "../input-error.ts";
import { CLOUD_NAMES, type CloudName } from "../network/clouds.ts";

/**
 * Path segment in place of a tenant at an AD FS authority, as on Azure Stack Hub. For MSAL's handling, see `Authority.ts` of
 * https://github.com/AzureAD/microsoft-authentication-library-for-js (`AuthorityType.Adfs`).
 */
export const AD_FS = "adfs";

export interface ServicePrincipal {
  readonly tenantId: string;
  readonly cloud: CloudName;
  /** The application (client) id. */
  readonly appId: string;
  readonly objectId: string;
  readonly clientSecret: string;
}

export interface NewServicePrincipal {
  readonly cloud: CloudName;
  readonly tenantId?: string | undefined;
  readonly appId?: string | undefined;
  readonly clientSecret?: string | undefined;
}

/** Tenants and their applications. A tenant belongs to one cloud, and exists from its first mention. */
export class Directory {
  readonly #tenants = new Map<string, CloudName>();
  readonly #domains = new Map<string, string>();
  readonly #principals = new Map<string, ServicePrincipal>();
  readonly #defaultTenants: Readonly<Record<CloudName, string>>;

  constructor() {
    const fresh = CLOUD_NAMES.map((cloud) => [cloud, randomUUID()] as const);
    // The object has an entry for every name, which the type of fromEntries cannot express.
    this.#defaultTenants = Object.fromEntries(fresh) as Record<CloudName, string>;
  }

  /** Returns the tenant's canonical id. Without an id, registers the cloud's default tenant. */
  registerTenant(cloud: CloudName, tenantId?: string): string {
    const id = (tenantId ?? this.#defaultTenants[cloud]).toLowerCase();
    const existing = this.#tenants.get(id);
    if (existing !== undefined && existing !== cloud) {
      throw new EmulatorInputError(`tenantId: ${id} belongs to the cloud ${existing}; use cloud ${existing} or another tenant`);
    }
    this.#tenants.set(id, cloud);
    return id;
  }

  /** Adds another name for a tenant: https://learn.microsoft.com/entra/identity-platform/v2-protocols#endpoints */
  addDomain(tenantId: string, domain: string): void {
    const id = tenantId.toLowerCase();
    if (!this.#tenants.has(id)) throw new EmulatorInputError(`tenantId: no tenant ${id}; create a vault or an application in it first`);
    this.#domains.set(domain.toLowerCase(), id);
  }

  /** Returns the id of a tenant, given its id or one of its domains. */
  idOf(tenant: string): string {
    return this.#domains.get(tenant.toLowerCase()) ?? tenant.toLowerCase();
  }

  hasTenant(cloud: CloudName, tenant: string): boolean {
    return this.#tenants.get(this.idOf(tenant)) === cloud;
  }

  createServicePrincipal(input: NewServicePrincipal): ServicePrincipal {
    const appId = (input.appId ?? randomUUID()).toLowerCase();
    if (this.#principals.has(appId)) {
      throw new EmulatorInputError(`appId: ${appId} is taken; leave it out for a random one`);
    }
    const principal: ServicePrincipal = {
      tenantId: this.registerTenant(input.cloud, input.tenantId),
      cloud: input.cloud,
      appId,
      objectId: randomUUID(),
      clientSecret: input.clientSecret ?? randomBytes(24).toString("base64url"),
    };
    this.#principals.set(appId, principal);
    return principal;
  }

  /** Replaces the client secret. As in Entra, tokens issued earlier stay valid until they expire. */
  setClientSecret(appId: string, clientSecret?: string): ServicePrincipal {
    const changed = { ...this.requirePrincipal(appId), clientSecret: clientSecret ?? randomBytes(24).toString("base64url") };
    this.#principals.set(changed.appId, changed);
    return changed;
  }

  find(appId: string): ServicePrincipal | undefined {
    return this.#principals.get(appId.toLowerCase());
  }

  requirePrincipal(appId: string): ServicePrincipal {
    const principal = this.find(appId);
    if (principal === undefined) throw new EmulatorInputError(`appId: no service principal ${appId}; create it first`);
    return principal;
  }
}

export function isSecretOf(principal: ServicePrincipal, presented: string): boolean {
  const [expected, actual] = [Buffer.from(principal.clientSecret), Buffer.from(presented)];
  return expected.byteLength === actual.byteLength && timingSafeEqual(expected, actual);
}
