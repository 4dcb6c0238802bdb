import { randomBytes } from "node:crypto";

import type { Directory, ServicePrincipal } from "../entra/directory.ts";
import type { TokenIssuer } from "../entra/token-issuer.ts";
import { EmulatorInputError } from "../input-error.ts";
import type { RequestLog, RequestRecord } from "../network/request-log.ts";
import { type SecretProperties, type SecretVersion, type StoredSecret, withoutValue } from "../vault/secret-collection.ts";
import { factsOf, type VaultFacts, type VaultStore } from "../vault/vault-store.ts";
import { type Input, inputs, parseInput } from "./inputs.ts";

/**
 * What a test or a demo does to the emulator's world. The same methods work in process and over the admin endpoint;
 * wrong input throws `EmulatorInputError`.
 */
export interface StateMethods {
  /** Without `tenantId`, in the cloud's default tenant, which every unnamed tenant of that cloud is. */
  createVault(input: Input<"createVault">): Promise<VaultFacts>;
  /** Its name stops resolving. */
  deleteVault(input: Input<"deleteVault">): Promise<void>;
  /** Ids and secret are random unless given. */
  createServicePrincipal(input: Input<"createServicePrincipal">): Promise<ServicePrincipal>;
  setClientSecret(input: Input<"setClientSecret">): Promise<ServicePrincipal>;
  grant(input: Input<"grant">): Promise<void>;
  /** Without `permissions`, all of them. */
  revoke(input: Input<"revoke">): Promise<void>;
  /** A new version, the current one from now on. */
  setSecret(input: Input<"setSecret">): Promise<SecretVersion>;
  /** A new version of an existing secret, random without `value`; content type and tags are kept. */
  rotateSecret(input: Input<"rotateSecret">): Promise<StoredSecret>;
  /** Without `version`, the current one; so for the next two. */
  setAttributes(input: Input<"setAttributes">): Promise<SecretVersion>;
  disableSecret(input: Input<"secretVersion">): Promise<SecretVersion>;
  enableSecret(input: Input<"secretVersion">): Promise<SecretVersion>;
  /** Gone with all versions, as after delete and purge. */
  deleteSecret(input: Input<"secret">): Promise<void>;
  /** Oldest first, without values. */
  secretVersions(input: Input<"secret">): Promise<readonly SecretVersion[]>;
  /** For tokens issued from now on. */
  setTokenLifetime(input: Input<"setTokenLifetime">): Promise<void>;
  /** The request log, or what came after the record numbered `after`. */
  requests(input?: Input<"requests">): Promise<readonly RequestRecord[]>;
}

export interface World {
  readonly directory: Directory;
  readonly tokens: TokenIssuer;
  readonly vaults: VaultStore;
  readonly log: RequestLog;
}

export function stateMethods(world: World): StateMethods {
  return { ...identityMethods(world), ...secretMethods(world) };
}

type IdentityMethods = Pick<
  StateMethods,
  "createVault" | "deleteVault" | "createServicePrincipal" | "setClientSecret" | "grant" | "revoke" | "setTokenLifetime" | "requests"
>;

function identityMethods({ directory, tokens, vaults, log }: World): IdentityMethods {
  return {
    createVault: async (input) => factsOf(vaults.create(parseInput(inputs.createVault, input))),
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

function secretMethods({ vaults }: World): Omit<StateMethods, keyof IdentityMethods> {
  return {
    setSecret: async (input) => {
      const { vault, name, value, ...properties } = parseInput(inputs.setSecret, input);
      return withoutValue(vaults.require(vault).secrets.set(name, value, properties));
    },
    rotateSecret: async (input) => {
      const { vault, name, value } = parseInput(inputs.rotateSecret, input);
      const { secrets } = vaults.require(vault);
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
      if (!vaults.require(vault).secrets.delete(name)) existing(undefined, { vault, name });
    },
    secretVersions: async (input) => {
      const { vault, name } = parseInput(inputs.secret, input);
      const { secrets } = vaults.require(vault);
      existing(secrets.find(name), { vault, name });
      return secrets.versions(name).map(withoutValue);
    },
  };
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
