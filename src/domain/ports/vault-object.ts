import type { Sensitive } from "../sensitive.ts";

/** Properties that every object of a vault has. */
export interface VaultObject {
  /** Key Vault version id: 32 hex digits. */
  readonly version: string;
  /** Unix milliseconds at which the version was created; absent if the vault does not report it. */
  readonly created?: number | undefined;
  /** Unix milliseconds. */
  readonly updated: number | undefined;
  readonly expires: number | undefined;
  readonly notBefore: number | undefined;
  /** Whether the object is enabled. The vault returns secrets only if they are enabled, but keys and certificates in any case. */
  readonly isEnabled?: boolean;
  /** Time of the vault's answer, by its own clock, in whole seconds; absent if it does not report one. */
  readonly answered?: number;
}

export interface VaultSecret extends VaultObject {
  readonly value: Sensitive;
  readonly contentType: string | undefined;
  /** Set on certificate-backed secrets. */
  readonly keyId: string | undefined;
}

/** Public half of a key, with the names of a JSON Web Key; numbers are big-endian. */
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
  /** Only the certificate, in DER: no chain, no key. */
  readonly der: Uint8Array;
}

/** One entry of an object's version list. */
export interface VaultVersion {
  readonly version: string;
  readonly isEnabled: boolean;
  /** Unix milliseconds; 0 if the vault does not report it. */
  readonly created: number;
}

export type VaultObjectKind = "secret" | "key" | "certificate";

/** One entry in the list of a vault's objects: the current version's attributes, but not its version id. */
export interface ListedObject {
  /** In the spelling of its first version: names are case-insensitive. */
  readonly name: string;
  readonly isEnabled: boolean;
  /** Unix milliseconds, in whole seconds. */
  readonly updated: number | undefined;
  /** For callers that select objects by these. The worker keeps a list without them if no caller does. */
  readonly details?: ListedDetails;
}

export interface ListedDetails {
  readonly tags: Readonly<Record<string, string>>;
  /** Whether the secret belongs to a certificate. */
  readonly isManaged: boolean;
}
