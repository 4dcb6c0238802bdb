import type { DerivationBudget } from "../content/derivation-budget.ts";
import type { Result } from "../result.ts";
import type { PublicJwk } from "./vault-object.ts";

/** A block of PEM. */
export interface PemBlock {
  /** `CERTIFICATE`, `PRIVATE KEY`, … */
  readonly type: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly der: Uint8Array;
}

export interface PemText {
  readonly blocks: readonly PemBlock[];
  /** What follows the last block: all of the input where there is none. */
  readonly rest: Uint8Array;
}

/** A private key in both encodings, DER. `other` are kinds that no Secret and no file of the provider takes. */
export type PrivateKey =
  | {
      readonly kind: "rsa" | "ec";
      readonly pkcs8: Uint8Array;
      /** PKCS#1 for RSA, SEC 1 for EC. */
      readonly traditional: Uint8Array;
    }
  | { readonly kind: "other" };

/** What links a certificate to its issuer, in hex; undefined where it does not say. */
export interface CertificateKeyIds {
  readonly subject: string | undefined;
  readonly authority: string | undefined;
}

/**
 * Keys, certificates and their containers. Total and synchronous, in time bounded by the input; errors are the words of the Go
 * libraries that the provider and the driver use, and hold nothing of the input.
 */
export interface Pki {
  decodePem(text: Uint8Array): PemText;
  encodePem(block: PemBlock): Uint8Array;
  /**
   * Certificates and private keys (as `traditional`, under the type `PRIVATE KEY`) in the order of the file. Rounds of key derivation are
   * taken from the budget, or from one of the file's own. Without a password it is a vault's file: its password is empty, and it is refused
   * where Go refuses it. With one, which may be empty, it may also hold certificates alone.
   */
  decodePkcs12(bytes: Uint8Array, budget?: DerivationBudget, password?: string): Result<readonly PemBlock[], string>;
  /** PKCS#1, PKCS#8 or SEC 1; undefined where it is none of them. */
  readPrivateKey(der: Uint8Array): PrivateKey | undefined;
  readCertificate(der: Uint8Array): Result<CertificateKeyIds, string>;
  /** SubjectPublicKeyInfo in DER. */
  encodePublicKey(jwk: PublicJwk): Result<Uint8Array, string>;
}
