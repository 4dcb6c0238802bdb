/** Decryption of what a PFX holds: the two old schemes that Key Vault and Go know, and PBES2 as OpenSSL 3 writes it. */
import { createDecipheriv } from "node:crypto";
import forge from "node-forge";
import type { DerivationBudget } from "../domain/content/derivation-budget.ts";
import { DerError, DerReader, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, objectIdentifier, sequence, smallInteger } from "./der.ts";
import { DIGESTS_BY_PRF } from "./digests.ts";
import { deriveLegacy, derivePbkdf2, type EmptyPassword, legacyRounds, type Pbkdf2, PURPOSE, pbkdf2Rounds, SHA1 } from "./password.ts";

/** An AlgorithmIdentifier. */
export interface Algorithm {
  readonly oid: string;
  readonly parameters: Uint8Array;
}

export function readAlgorithm(fields: DerReader): Algorithm {
  const algorithm = fields.enter(sequence("AlgorithmIdentifier"));
  const oid = objectIdentifier(algorithm.next(OBJECT_IDENTIFIER));
  return { oid, parameters: algorithm.isAtEnd ? new Uint8Array() : algorithm.any().encoded };
}

/** How the whole file is opened. */
export interface Opening {
  readonly password: EmptyPassword;
  readonly budget: DerivationBudget;
}

interface Decipher {
  readonly blockSize: number;
  readonly decrypt: (encrypted: Uint8Array) => Uint8Array;
}

const BLOCK_OF_DES = 8;
const BLOCK_OF_AES = 16;

function cbc(name: string, key: Uint8Array, vector: Uint8Array): Decipher["decrypt"] {
  return (encrypted) => {
    // The padding is checked below, with the words that users know.
    const decipher = createDecipheriv(name, key, vector).setAutoPadding(false);
    return Buffer.concat([decipher.update(encrypted), decipher.final()]);
  };
}

const binary = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");

/** node-forge's time per byte grows with what it has seen since its start: 1 MiB in one go takes half a minute. */
const RC2_CHUNK = 4_096;

/** OpenSSL 3 has no RC2 without its legacy provider. */
function rc2(key: Uint8Array, vector: Uint8Array): Decipher["decrypt"] {
  return (encrypted) => {
    const decipher = forge.rc2.createDecryptionCipher(forge.util.createBuffer(binary(key)), key.length * 8);
    const parts: Buffer[] = [];
    for (let start = 0; start < encrypted.length; start += RC2_CHUNK) {
      // A block's vector is the encrypted block before it, so that decryption can begin anywhere.
      decipher.start(binary(start === 0 ? vector : encrypted.subarray(start - BLOCK_OF_DES, start)));
      decipher.update(forge.util.createBuffer(binary(encrypted.subarray(start, start + RC2_CHUNK))));
      parts.push(Buffer.from(decipher.output.getBytes(), "latin1"));
    }
    return Buffer.concat(parts);
  };
}

interface LegacyScheme {
  readonly keySize: number;
  readonly create: (key: Uint8Array, vector: Uint8Array) => Decipher["decrypt"];
}

const LEGACY_SCHEMES: ReadonlyMap<string, LegacyScheme> = new Map([
  ["1.2.840.113549.1.12.1.3", { keySize: 24, create: (key: Uint8Array, vector: Uint8Array) => cbc("des-ede3-cbc", key, vector) }],
  ["1.2.840.113549.1.12.1.6", { keySize: 5, create: rc2 }],
]);

function legacyParameters(parameters: Uint8Array): { readonly salt: Uint8Array; readonly rounds: number } {
  const fields = new DerReader(parameters).enter(sequence("pbeParams"));
  const salt = fields.next(OCTET_STRING).content;
  return { salt, rounds: smallInteger(fields.next(INTEGER)) };
}

function legacyDecipher(scheme: LegacyScheme, parameters: Uint8Array, { password, budget }: Opening): Decipher {
  const { salt, rounds } = legacyParameters(parameters);
  const derive = (purpose: (typeof PURPOSE)[keyof typeof PURPOSE], size: number) =>
    deriveLegacy({ digest: SHA1, password, salt, rounds, purpose, size }, budget);
  return { blockSize: BLOCK_OF_DES, decrypt: scheme.create(derive(PURPOSE.key, scheme.keySize), derive(PURPOSE.vector, BLOCK_OF_DES)) };
}

const PBES2 = "1.2.840.113549.1.5.13";
const PBKDF2 = "1.2.840.113549.1.5.12";
const HMAC_WITH_SHA1 = "1.2.840.113549.2.7";

const PBES2_CIPHERS: ReadonlyMap<string, { readonly name: string; readonly keySize: number; readonly blockSize: number }> = new Map([
  ["2.16.840.1.101.3.4.1.2", { name: "aes-128-cbc", keySize: 16, blockSize: BLOCK_OF_AES }],
  ["2.16.840.1.101.3.4.1.22", { name: "aes-192-cbc", keySize: 24, blockSize: BLOCK_OF_AES }],
  ["2.16.840.1.101.3.4.1.42", { name: "aes-256-cbc", keySize: 32, blockSize: BLOCK_OF_AES }],
  ["1.2.840.113549.3.7", { name: "des-ede3-cbc", keySize: 24, blockSize: BLOCK_OF_DES }],
]);

const unsupported = (oid: string) => new DerError(`pkcs12: algorithm ${oid} is not supported`);

interface Pbes2 {
  readonly cipher: { readonly name: string; readonly blockSize: number };
  readonly vector: Uint8Array;
  readonly derivation: Pbkdf2;
}

/** RFC 8018. */
function pbes2Parameters(parameters: Uint8Array): Pbes2 {
  const fields = new DerReader(parameters).enter(sequence("pbes2Params"));
  const derivation = readAlgorithm(fields);
  const scheme = readAlgorithm(fields);
  const cipher = PBES2_CIPHERS.get(scheme.oid);
  if (cipher === undefined) throw unsupported(scheme.oid);
  if (derivation.oid !== PBKDF2) throw unsupported(derivation.oid);
  const kdf = new DerReader(derivation.parameters).enter(sequence("pbkdf2Params"));
  const salt = kdf.next(OCTET_STRING).content;
  const rounds = smallInteger(kdf.next(INTEGER));
  kdf.optional(INTEGER);
  const prf = kdf.isAtEnd ? HMAC_WITH_SHA1 : readAlgorithm(kdf).oid;
  const digest = DIGESTS_BY_PRF.get(prf);
  if (digest === undefined) throw unsupported(prf);
  const vector = new DerReader(scheme.parameters).next(OCTET_STRING).content;
  if (vector.length !== cipher.blockSize) throw new DerError("pkcs12: the initialization vector has the wrong length");
  return { cipher, vector, derivation: { digest, salt, rounds, size: cipher.keySize } };
}

function pbes2Decipher(parameters: Uint8Array, { budget }: Opening): Decipher {
  const { cipher, vector, derivation } = pbes2Parameters(parameters);
  return { blockSize: cipher.blockSize, decrypt: cbc(cipher.name, derivePbkdf2(derivation, budget), vector) };
}

/** Rounds that a decryption would take, before any is done; 0 where the parameters say nothing, which decryption finds out. */
export function roundsOf({ oid, parameters }: Algorithm): number {
  const scheme = LEGACY_SCHEMES.get(oid);
  try {
    if (oid === PBES2) return pbkdf2Rounds(pbes2Parameters(parameters).derivation);
    if (scheme === undefined) return 0;
    const { rounds } = legacyParameters(parameters);
    return [scheme.keySize, BLOCK_OF_DES].reduce((sum, size) => sum + legacyRounds({ digest: SHA1, rounds, size }), 0);
  } catch (error) {
    if (error instanceof DerError) return 0;
    throw error;
  }
}

function decipherFor({ oid, parameters }: Algorithm, opening: Opening): Decipher {
  if (oid === PBES2) return pbes2Decipher(parameters, opening);
  const scheme = LEGACY_SCHEMES.get(oid);
  if (scheme === undefined) throw unsupported(oid);
  return legacyDecipher(scheme, parameters, opening);
}

export function decrypt(algorithm: Algorithm, encrypted: Uint8Array, opening: Opening): Uint8Array {
  const { blockSize, decrypt: run } = decipherFor(algorithm, opening);
  if (encrypted.length === 0) throw new DerError("pkcs12: empty encrypted data");
  if (encrypted.length % blockSize !== 0) throw new DerError("pkcs12: input is not a multiple of the block size");
  const decrypted = run(encrypted);
  const padding = decrypted.at(-1) ?? 0;
  const isPadded = padding >= 1 && padding <= blockSize && decrypted.subarray(-padding).every((byte) => byte === padding);
  if (!isPadded) throw new DerError("pkcs12: decryption error, incorrect padding");
  return decrypted.subarray(0, -padding);
}
