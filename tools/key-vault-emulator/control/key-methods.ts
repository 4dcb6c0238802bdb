import { EmulatorInputError } from "../input-error.ts";
import { generateKeys, type KeyPair, keyPairFromPem } from "../pki/key-pair.ts";
import { type KeyVersion, keyFacts, type StoredKey } from "../vault/key-collection.ts";
import type { Vault } from "../vault/vault-store.ts";
import type { World } from "../world.ts";
import { type Input, inputs, parseInput } from "./inputs.ts";

export interface KeyMethods {
  /** Creates a new version, which becomes the current one. */
  createKey(input: Input<"createKey">): Promise<KeyVersion>;
  /** Creates a new version of the same type and size. */
  rotateKey(input: Input<"key">): Promise<KeyVersion>;
  /** Without `version`, changes the current version. */
  setKeyAttributes(input: Input<"setKeyAttributes">): Promise<KeyVersion>;
  deleteKey(input: Input<"key">): Promise<void>;
  /** Oldest first. */
  keyVersions(input: Input<"key">): Promise<readonly KeyVersion[]>;
}

export function keyMethods({ vaults }: World): KeyMethods {
  return {
    createKey: async (input) => {
      const { vault: vaultName, name, keyType, size, curve, privateKeyPem, ...properties } = parseInput(inputs.createKey, input);
      const vault = withoutCertificate(vaults.require(vaultName), name);
      const kind = kindOf(keyType);
      const keys = privateKeyPem === undefined ? await generated(kind, { size, curve }) : imported(kind, privateKeyPem);
      return keyFacts(vault.keys.add(name, { ...properties, keyType, keys }), vault.url);
    },
    rotateKey: async (input) => {
      const { vault: vaultName, name } = parseInput(inputs.key, input);
      const vault = withoutCertificate(vaults.require(vaultName), name);
      const { keyType, keys, tags } = existing(vault.keys.find(name), { vault: vaultName, name });
      const fresh = keys === undefined ? undefined : await generateKeys(keys.spec);
      return keyFacts(vault.keys.add(name, { keyType, keys: fresh, tags }), vault.url);
    },
    setKeyAttributes: async (input) => {
      const { vault: vaultName, name, version, ...changes } = parseInput(inputs.setKeyAttributes, input);
      const vault = vaults.require(vaultName);
      return keyFacts(existing(vault.keys.update(name, version, changes), { vault: vaultName, name, version }), vault.url);
    },
    deleteKey: async (input) => {
      const { vault, name } = parseInput(inputs.key, input);
      if (!withoutCertificate(vaults.require(vault), name).keys.delete(name)) existing(undefined, { vault, name });
    },
    keyVersions: async (input) => {
      const { vault: vaultName, name } = parseInput(inputs.key, input);
      const vault = vaults.require(vaultName);
      existing(vault.keys.find(name), { vault: vaultName, name });
      return vault.keys.versions(name).map((key) => keyFacts(key, vault.url));
    },
  };
}

type Kind = "RSA" | "EC" | "oct";

/** HSM types need no HSM: the emulator keeps their keys in its memory. */
function kindOf(keyType: StoredKey["keyType"]): Kind {
  if (keyType.startsWith("oct")) return "oct";
  return keyType.startsWith("RSA") ? "RSA" : "EC";
}

type Sizes = Pick<ReturnType<(typeof inputs)["createKey"]["parse"]>, "size" | "curve">;

async function generated(kind: Kind, { size, curve }: Sizes): Promise<KeyPair | undefined> {
  if (kind === "oct") return undefined;
  return generateKeys(kind === "RSA" ? { kind, size } : { kind, curve });
}

function imported(kind: Kind, pem: string): KeyPair {
  const keys = keyPairFromPem(pem);
  if (keys.spec.kind === kind) return keys;
  throw new EmulatorInputError(`privateKeyPem: is a key of type ${keys.spec.kind}; set keyType to ${keys.spec.kind} or leave the PEM out`);
}

function withoutCertificate(vault: Vault, name: string): Vault {
  if (vault.certificates.find(name) === undefined) return vault;
  throw new EmulatorInputError(`name: the key ${name} belongs to a certificate; rotate, import or delete that, or choose another name`);
}

function existing(
  key: StoredKey | undefined,
  asked: { readonly vault: string; readonly name: string; readonly version?: string | undefined },
): StoredKey {
  if (key !== undefined) return key;
  const what = asked.version === undefined ? `no key ${asked.name}` : `no version ${asked.version} of the key ${asked.name}`;
  throw new EmulatorInputError(`name: the vault ${asked.vault} has ${what}; create it first`);
}
