import type { Sensitive } from "../sensitive.ts";

/** What every object of a vault has. */
export interface VaultObject {
  /** Key Vault version id: 32 hex digits. */
  readonly version: string;
  /** Unix milliseconds: when the version was made; absent where the vault does not say. */
  readonly created?: number | undefined;
  /** Unix milliseconds. */
  readonly updated: number | undefined;
  readonly expires: number | undefined;
  readonly notBefore: number | undefined;
  /** A secret that is handed out is; keys and certificates are handed out although they are disabled. */
  readonly isEnabled?: boolean;
  /** When the vault answered, by its own clock, in whole seconds; absent where it does not say. */
  readonly answered?: number;
}

export interface VaultSecret extends VaultObject {
  readonly value: Sensitive;
  readonly contentType: string | undefined;
  /** Set on certificate-backed secrets. */
  readonly keyId: string | undefined;
}

/** Public half of a key, in the words of a JSON Web Key; numbers are big-endian. */
export interface PublicJwk {
  /** `RSA`, `RSA-HSM`, `EC`, `EC-HSM`, `oct`, … */
  readonly kty: string;
  readonly n?: Uint8Array | undefined;
  readonly e?: Uint8Array | undefined;
  readonly crv?: string | undefined;
  readonly x?: Uint8Array | undefined;
  readonly y?: Uint8Array | undefined;
}

export interface VaultKey extends VaultObject {
  readonly jwk: PublicJwk;
}

export interface VaultCertificate extends VaultObject {
  /** The certificate alone, in DER: no chain, no key. */
  readonly der: Uint8Array;
}

/** One entry of an object's version list. */
export interface VaultVersion {
  readonly version: string;
  readonly isEnabled: boolean;
  /** Unix milliseconds; 0 where the vault does not say. */
  readonly created: number;
}

export type VaultObjectKind = "secret" | "key" | "certificate";

/** One entry of the list of a vault's objects: the current version's attributes, but not which version that is. */
export interface ListedObject {
  /** In the spelling of its first version: names are case-insensitive. */
  readonly name: string;
  readonly isEnabled: boolean;
  /** Unix milliseconds, in whole seconds. */
  readonly updated: number | undefined;
  /** For who selects objects by them; a list is kept without them where nobody does. */
  readonly details?: ListedDetails;
}

export interface ListedDetails {
  readonly tags: Readonly<Record<string, string>>;
  /** A secret that belongs to a certificate. */
  readonly isManaged: boolean;
}
