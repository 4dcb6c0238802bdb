import { type Curve, type KeyPair, publicPem } from "../pki/key-pair.ts";
import type { Version, VersionedCollection } from "./versioned-collection.ts";

/** https://learn.microsoft.com/azure/key-vault/keys/about-keys (the two `oct` types exist in managed HSMs only) */
export const KEY_TYPES = ["RSA", "RSA-HSM", "EC", "EC-HSM", "oct", "oct-HSM"] as const;

export type KeyType = (typeof KEY_TYPES)[number];

export interface KeyContent {
  readonly keyType: KeyType;
  /** Absent for `oct`, whose value never leaves the service. */
  readonly keys?: KeyPair | undefined;
  /** Whether the key belongs to a certificate. */
  readonly managed?: boolean | undefined;
}

export type StoredKey = Version & KeyContent;

export type KeyCollection = VersionedCollection<KeyContent>;

/** Data of a key for tests, without the private part. */
export interface KeyVersion extends Version {
  /** The URL of this version. */
  readonly kid: string;
  readonly keyType: KeyType;
  readonly curve?: Curve;
  readonly managed: boolean;
  readonly publicKeyPem?: string;
}

export function keyFacts(key: StoredKey, vaultUrl: string): KeyVersion {
  const { keys, managed = false, ...rest } = key;
  return {
    ...rest,
    managed,
    kid: `${vaultUrl}keys/${key.name}/${key.version}`,
    ...(keys?.spec.kind === "EC" ? { curve: keys.spec.curve } : {}),
    ...(keys === undefined ? {} : { publicKeyPem: publicPem(keys.publicKey) }),
  };
}
