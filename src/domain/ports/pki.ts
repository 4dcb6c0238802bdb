import type { DerivationBudget } from "../derivation-budget.ts";
import { failed, type Result } from "../result.ts";
import type { PublicJwk } from "./vault-object.ts";

/** A PEM block. */
export interface PemBlock {
  /** `CERTIFICATE`, `PRIVATE KEY`, … */
  readonly type: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly der: Uint8Array;
}

export interface PemText {
  readonly blocks: readonly PemBlock[];
  /** Input after the last block; the whole input if there is no block. */
  readonly rest: Uint8Array;
}

/**
 * Why a file cannot be decoded, in the words of the Go libraries that the provider and the driver use. The message contains nothing from
 * the file.
 */
export interface DecodingProblem {
  /** `TooManyRounds`: opening the file needs more rounds of key derivation than are left. */
  readonly code: "TooManyRounds" | "Undecodable";
  readonly message: string;
}

export function undecodable(message: string): { readonly ok: false; readonly error: DecodingProblem } {
  return failed({ code: "Undecodable", message });
}

/** A private key in both encodings, DER. `other`: kinds that neither Secrets nor the provider's files support. */
export type PrivateKey =
  | {
      readonly kind: "rsa" | "ec";
      readonly pkcs8: Uint8Array;
      /** PKCS#1 for RSA, SEC 1 for EC. */
      readonly traditional: Uint8Array;
    }
  | { readonly kind: "other" };

/** Key ids that link a certificate to its issuer, in hex; undefined if the certificate does not contain them. */
export interface CertificateKeyIds {
  readonly subject: string | undefined;
  readonly authority: string | undefined;
}

export interface TrustStoreInput {
  /** X.509 in DER; at least one. */
  readonly certificates: readonly Uint8Array[];
  /** Rejected if it is empty or has a control character. */
  readonly password: string;
}

/** Purposes of the bytes in a PKCS#12 store that other programs draw at random. */
export type SaltPurpose = "mac salt" | "certificates salt" | "certificates vector" | "key salt" | "key vector";

/**
 * Returns at least 16 bytes, of which the first 16 count. The bytes are the same for the same store, so that its file stays the same. They
 * differ for each purpose, and for each other content or password, because two contents under one key and vector show where they begin to
 * differ. The file contains these bytes unencrypted. If they were a plain hash of the password, an attacker could test each guess with one
 * hash, so their creator needs its own secret, such as the key of an HMAC.
 */
export type SaltOf = (purpose: SaltPurpose) => Uint8Array;

export interface Pkcs12TrustStoreInput extends TrustStoreInput {
  readonly saltOf: SaltOf;
}

/** The certificate of the key comes first, then those of its issuers. */
export interface KeyStoreInput extends Pkcs12TrustStoreInput {
  /** Any key that {@link Pki.readPrivateKey} reads as RSA or EC. */
  readonly key: Uint8Array;
}

/**
 * Keys, certificates and their containers. All functions are total and synchronous, in time bounded by the input. Errors have the words of
 * the Go libraries that the provider and the driver use, and contain nothing from the input.
 */
export interface Pki {
  decodePem(text: Uint8Array): PemText;
  encodePem(block: PemBlock): Uint8Array;
  /**
   * Returns certificates and private keys (as `traditional`, with the type `PRIVATE KEY`) in the order of the file. Takes rounds of key
   * derivation from the budget, or without one from a budget for this file. Without a password, the input is a vault's file: its password
   * is empty, and it is rejected if Go rejects it. With a password, which may be empty, it may also contain only certificates.
   */
  decodePkcs12(bytes: Uint8Array, budget?: DerivationBudget, password?: string): Result<readonly PemBlock[], DecodingProblem>;
  /** Reads PKCS#1, PKCS#8 or SEC 1; undefined for any other input. */
  readPrivateKey(der: Uint8Array): PrivateKey | undefined;
  readCertificate(der: Uint8Array): Result<CertificateKeyIds, string>;
  /** SubjectPublicKeyInfo in DER. */
  encodePublicKey(jwk: PublicJwk): Result<Uint8Array, string>;
  /** Returns a PKCS#12 key store. The errors of this writer and the next two have the project's own words. */
  encodePkcs12(input: KeyStoreInput): Result<Uint8Array, string>;
  /** Returns a store with certificates only, which Java lists as `trustedCertEntry`. */
  encodePkcs12TrustStore(input: Pkcs12TrustStoreInput): Result<Uint8Array, string>;
  /** Returns a trust store in Java's older format. */
  encodeJksTrustStore(input: TrustStoreInput): Result<Uint8Array, string>;
  /**
   * Returns 32 bytes that cannot be computed without the key, for {@link SaltOf}. Other parts, or the same bytes split in other places,
   * give other bytes.
   */
  keyedHash(key: Uint8Array, parts: readonly Uint8Array[]): Uint8Array;
}
