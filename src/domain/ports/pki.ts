import type { DerivationBudget } from "../derivation-budget.ts";
import { failed, type Result } from "../result.ts";
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

/** Why a file cannot be decoded: in words of the Go libraries that the provider and the driver use, which hold nothing of the file. */
export interface DecodingProblem {
  /** `TooManyRounds`: opening it takes more rounds of key derivation than are left. */
  readonly code: "TooManyRounds" | "Undecodable";
  readonly message: string;
}

export function undecodable(message: string): { readonly ok: false; readonly error: DecodingProblem } {
  return failed({ code: "Undecodable", message });
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

export interface TrustStoreInput {
  /** X.509 in DER; at least one. */
  readonly certificates: readonly Uint8Array[];
  /** Refused where it is empty or has a control character. */
  readonly password: string;
}

/** What bytes of a PKCS#12 store are for that other programs draw at random. */
export type SaltPurpose = "mac salt" | "certificates salt" | "certificates vector" | "key salt" | "key vector";

/**
 * At least 16 bytes, of which the first 16 count. The same for the same store, so that it is written with the same bytes; others for each purpose,
 * and for each other content or password, since two contents under one key and vector show where they begin to differ. They stand in
 * the open: made by a mere hash of the password they would let it be guessed by one hash a guess, so their maker needs a secret of
 * its own, such as the key of an HMAC.
 */
export type SaltOf = (purpose: SaltPurpose) => Uint8Array;

export interface Pkcs12TrustStoreInput extends TrustStoreInput {
  readonly saltOf: SaltOf;
}

/** The certificate of the key comes first, then those of its issuers. */
export interface KeyStoreInput extends Pkcs12TrustStoreInput {
  /** Whatever {@link Pki.readPrivateKey} reads as RSA or EC. */
  readonly key: Uint8Array;
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
  decodePkcs12(bytes: Uint8Array, budget?: DerivationBudget, password?: string): Result<readonly PemBlock[], DecodingProblem>;
  /** PKCS#1, PKCS#8 or SEC 1; undefined where it is none of them. */
  readPrivateKey(der: Uint8Array): PrivateKey | undefined;
  readCertificate(der: Uint8Array): Result<CertificateKeyIds, string>;
  /** SubjectPublicKeyInfo in DER. */
  encodePublicKey(jwk: PublicJwk): Result<Uint8Array, string>;
  /** A PKCS#12 key store. The errors of this writer and the next two are our own words. */
  encodePkcs12(input: KeyStoreInput): Result<Uint8Array, string>;
  /** Certificates alone, which Java lists as `trustedCertEntry`. */
  encodePkcs12TrustStore(input: Pkcs12TrustStoreInput): Result<Uint8Array, string>;
  /** The same in Java's older format. */
  encodeJksTrustStore(input: TrustStoreInput): Result<Uint8Array, string>;
  /** 32 bytes that nobody makes without the key, for {@link SaltOf}. Other parts, or the same bytes cut in other places, give others. */
  keyedHash(key: Uint8Array, parts: readonly Uint8Array[]): Uint8Array;
}
