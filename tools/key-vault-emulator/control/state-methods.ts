import { randomBytes } from "node:crypto";

import type { ServicePrincipal } from "../entra/directory.ts";
import { EmulatorInputError } from "../input-error.ts";
import type { RequestRecord } from "../network/request-log.ts";
import type { VaultFacts } from "../queues/event-form.ts";
import { type SecretProperties, type SecretVersion, type StoredSecret, withoutValue } from "../vault/secret-collection.ts";
import { factsOf, type Vault, type VaultStore } from "../vault/vault-store.ts";
import { newVersionId } from "../vault/versioned-collection.ts";
import type { World } from "../world.ts";
import { type CertificateMethods, certificateMethods } from "./certificate-methods.ts";
import { type DisturbanceMethods, disturbanceMethods } from "./disturbance-methods.ts";
import { type EventMethods, eventMethods } from "./event-methods.ts";
import { type Input, inputs, parseInput } from "./inputs.ts";
import { type KeyMethods, keyMethods } from "./key-methods.ts";
import { type SignInMethods, signInMethods } from "./sign-in-methods.ts";

/**
 * Methods with which a test or a demo changes the emulator's state. They work in process and over the admin endpoint. They throw
 * `EmulatorInputError` for wrong input.
 */
export interface StateMethods extends KeyMethods, CertificateMethods, DisturbanceMethods, SignInMethods, EventMethods {
  /**
   * Creates a vault. Without `tenantId`, the vault is in the cloud's default tenant, like everything in that cloud without a tenant of its
   * own.
   */
  createVault(input: Input<"createVault">): Promise<VaultFacts>;
  /** Sets the API versions that the vault knows, the latest last. */
  setApiVersions(input: Input<"setApiVersions">): Promise<void>;
  /** Deletes the vault, whose name then no longer resolves. */
  deleteVault(input: Input<"deleteVault">): Promise<void>;
  /** Creates an application. Ids and secret are random unless given. */
  createServicePrincipal(input: Input<"createServicePrincipal">): Promise<ServicePrincipal>;
  setClientSecret(input: Input<"setClientSecret">): Promise<ServicePrincipal>;
  /** Grants permissions. `get`, `list` and `set` apply to secrets. Other kinds need a prefix: `keys/get`, `certificates/list`. */
  grant(input: Input<"grant">): Promise<void>;
  /** Revokes permissions. Without `permissions`, all of them. */
  revoke(input: Input<"revoke">): Promise<void>;
  /** Creates a new version, which becomes the current one. */
  setSecret(input: Input<"setSecret">): Promise<SecretVersion>;
  /** Creates a new version of an existing secret with its content type and tags. Without `value`, the value is random. */
  rotateSecret(input: Input<"rotateSecret">): Promise<StoredSecret>;
  /** Changes the current version unless `version` is given, as do the next two methods. */
  setAttributes(input: Input<"setAttributes">): Promise<SecretVersion>;
  disableSecret(input: Input<"secretVersion">): Promise<SecretVersion>;
  enableSecret(input: Input<"secretVersion">): Promise<SecretVersion>;
  /** Deletes the secret with all versions, as after delete and purge. */
  deleteSecret(input: Input<"secret">): Promise<void>;
  /** Oldest first, without values. */
  secretVersions(input: Input<"secret">): Promise<readonly SecretVersion[]>;
  /** Sets the lifetime of tokens issued after the call. */
  setTokenLifetime(input: Input<"setTokenLifetime">): Promise<void>;
  /** Returns the request log, or the records after the one numbered `after`. */
  requests(input?: Input<"requests">): Promise<readonly RequestRecord[]>;
}

export function stateMethods(world: World): StateMethods {
  return {
    ...identityMethods(world),
    ...secretMethods(world),
    ...keyMethods(world),
    ...certificateMethods(world),
    ...disturbanceMethods(world),
    ...signInMethods(world),
    ...eventMethods(world),
  };
}

type IdentityMethods = Pick<
  StateMethods,
  | "createVault"
  | "setApiVersions"
  | "deleteVault"
  | "createServicePrincipal"
  | "setClientSecret"
  | "grant"
  | "revoke"
  | "setTokenLifetime"
  | "requests"
>;

function identityMethods({ directory, tokens, vaults, log }: World): IdentityMethods {
  return {
    createVault: async (input) => factsOf(vaults.create(parseInput(inputs.createVault, input))),
    setApiVersions: async (input) => {
      const { vault, apiVersions } = parseInput(inputs.setApiVersions, input);
      vaults.require(vault).apiVersions = apiVersions;
    },
    deleteVault: async (input) => vaults.delete(parseInput(inputs.deleteVault, input).name),
    createServicePrincipal: async (input) => directory.createServicePrincipal(parseInput(inputs.createServicePrincipal, input)),
    setClientSecret: async (input) => {
      const { appId, clientSecret } = parseInput(inputs.setClientSecret, input);
      return directory.setClientSecret(appId, clientSecret);
    },
    grant: async (input) => {
      const { vault, appId, permissions } = parseInput(inputs.grant, input);
      vaults.grant(vault, appId, permissions);
    },
    revoke: async (input) => {
      const { vault, appId, permissions } = parseInput(inputs.revoke, input);
      vaults.revoke(vault, appId, permissions);
    },
    setTokenLifetime: async (input) => {
      tokens.lifetimeSeconds = parseInput(inputs.setTokenLifetime, input).seconds;
    },
    requests: async (input) => log.list(parseInput(inputs.requests, input ?? {}).after),
  };
}

type SecretMethods = Pick<
  StateMethods,
  "setSecret" | "rotateSecret" | "setAttributes" | "disableSecret" | "enableSecret" | "deleteSecret" | "secretVersions"
>;

function secretMethods({ vaults }: World): SecretMethods {
  return {
    setSecret: async (input) => {
      const { vault, name, certificateBacked, ...content } = parseInput(inputs.setSecret, input);
      const { secrets, url } = withoutCertificate(vaults.require(vault), name);
      const version = newVersionId();
      return withoutValue(secrets.add(name, certificateBacked ? { ...content, kid: `${url}keys/${name}/${version}` } : content, version));
    },
    rotateSecret: async (input) => {
      const { vault, name, value } = parseInput(inputs.rotateSecret, input);
      const { secrets } = withoutCertificate(vaults.require(vault), name);
      const { contentType, tags } = existing(secrets.find(name), { vault, name });
      return secrets.set(name, value ?? randomBytes(24).toString("base64url"), { contentType, tags });
    },
    setAttributes: async (input) => {
      const { vault, name, version, ...properties } = parseInput(inputs.setAttributes, input);
      return changed(vaults, { vault, name, version }, properties);
    },
    disableSecret: async (input) => changed(vaults, parseInput(inputs.secretVersion, input), { enabled: false }),
    enableSecret: async (input) => changed(vaults, parseInput(inputs.secretVersion, input), { enabled: true }),
    deleteSecret: async (input) => {
      const { vault, name } = parseInput(inputs.secret, input);
      if (!withoutCertificate(vaults.require(vault), name).secrets.delete(name)) existing(undefined, { vault, name });
    },
    secretVersions: async (input) => {
      const { vault, name } = parseInput(inputs.secret, input);
      const { secrets } = vaults.require(vault);
      existing(secrets.find(name), { vault, name });
      return secrets.versions(name).map(withoutValue);
    },
  };
}

/** Only the methods for certificates change a secret that belongs to a certificate. */
function withoutCertificate(vault: Vault, name: string): Vault {
  if (vault.certificates.find(name) === undefined) return vault;
  throw new EmulatorInputError(`name: the secret ${name} belongs to a certificate; rotate, import or delete that, or choose another name`);
}

interface SecretKey {
  readonly vault: string;
  readonly name: string;
  readonly version?: string | undefined;
}

function changed(vaults: VaultStore, key: SecretKey, properties: SecretProperties): SecretVersion {
  return withoutValue(existing(vaults.require(key.vault).secrets.update(key.name, key.version, properties), key));
}

function existing(secret: StoredSecret | undefined, { vault, name, version }: SecretKey): StoredSecret {
  if (secret !== undefined) return secret;
  const what = version === undefined ? `no secret ${name}` : `no version ${version} of the secret ${name}`;
  throw new EmulatorInputError(`name: the vault ${vault} has ${what}; set it first`);
}
