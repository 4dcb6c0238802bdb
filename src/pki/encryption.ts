/** Decrypts the content of a PFX: the two old schemes that Key Vault and Go support, and PBES2 as OpenSSL 3 writes it. */
import { createDecipheriv, pbkdf2Sync } from "node:crypto";
import forge from "node-forge";
import type { DerivationBudget } from "../domain/derivation-budget.ts";
import { DerError, DerReader, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, objectIdentifier, sequence, smallInteger } from "./der.ts";
import { DIGESTS_BY_PRF, deriveLegacy, HMAC_WITH_SHA1, type Password, PURPOSE, sizeOfDigest } from "./derive.ts";

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

/** Password and budget to open the whole file. */
export interface Opening {
  readonly password: Password;
  readonly budget: DerivationBudget;
}

/** Spends the rounds before any of them is done. Throws if the budget refuses them. */
export function spend(budget: DerivationBudget, rounds: number): void {
  const cost = Math.max(1, rounds);
  const refusal = budget.refusal(cost);
  if (refusal !== undefined) throw new DerError(refusal, "TooManyRounds");
  budget.spend(cost);
}

type Decipher = (encrypted: Uint8Array) => Uint8Array;

/** An algorithm with its parameters, before any key is derived. */
interface Scheme {
  /** Rounds of one hash to derive the keys. Each block of a key takes all of them. */
  readonly rounds: number;
  readonly blockSize: number;
  readonly open: (password: Password) => Decipher;
}

const BLOCK_OF_DES = 8;
const BLOCK_OF_AES = 16;

function cbc(name: string, key: Uint8Array, vector: Uint8Array): Decipher {
  return (encrypted) => {
    // The padding is checked below, with the words that users know.
    const decipher = createDecipheriv(name, key, vector).setAutoPadding(false);
    return Buffer.concat([decipher.update(encrypted), decipher.final()]);
  };
}

const binary = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");

/** node-forge's time per byte grows with the bytes since its start: 1 MiB in one piece takes half a minute. */
const RC2_CHUNK = 4_096;

/** Uses node-forge, because OpenSSL 3 has no RC2 without its legacy provider. */
function rc2(key: Uint8Array, vector: Uint8Array): Decipher {
  return (encrypted) => {
    const decipher = forge.rc2.createDecryptionCipher(forge.util.createBuffer(binary(key)), key.length * 8);
    const parts: Buffer[] = [];
    for (let start = 0; start < encrypted.length; start += RC2_CHUNK) {
      // The vector of a block is the encrypted block before it, so decryption can begin at any block.
      decipher.start(binary(start === 0 ? vector : encrypted.subarray(start - BLOCK_OF_DES, start)));
      decipher.update(forge.util.createBuffer(binary(encrypted.subarray(start, start + RC2_CHUNK))));
      parts.push(Buffer.from(decipher.output.getBytes(), "latin1"));
    }
    return Buffer.concat(parts);
  };
}

interface LegacyScheme {
  readonly keySize: number;
  readonly create: (key: Uint8Array, vector: Uint8Array) => Decipher;
}

const LEGACY_SCHEMES: ReadonlyMap<string, LegacyScheme> = new Map([
  ["1.2.840.113549.1.12.1.3", { keySize: 24, create: (key: Uint8Array, vector: Uint8Array) => cbc("des-ede3-cbc", key, vector) }],
  ["1.2.840.113549.1.12.1.6", { keySize: 5, create: rc2 }],
]);

const blocksOf = (digest: string, size: number) => Math.ceil(size / sizeOfDigest(digest));

function legacyScheme({ keySize, create }: LegacyScheme, parameters: Uint8Array): Scheme {
  const fields = new DerReader(parameters).enter(sequence("pbeParams"));
  const salt = fields.next(OCTET_STRING).content;
  const rounds = smallInteger(fields.next(INTEGER));
  const terms = { digest: "sha1", salt, rounds } as const;
  return {
    rounds: rounds * (blocksOf("sha1", keySize) + blocksOf("sha1", BLOCK_OF_DES)),
    blockSize: BLOCK_OF_DES,
    open: (password) =>
      create(
        deriveLegacy({ ...terms, password, purpose: PURPOSE.key, size: keySize }),
        deriveLegacy({ ...terms, password, purpose: PURPOSE.vector, size: BLOCK_OF_DES }),
      ),
  };
}

export const PBES2 = "1.2.840.113549.1.5.13";
export const PBKDF2 = "1.2.840.113549.1.5.12";
export const AES_256_CBC = "2.16.840.1.101.3.4.1.42";

const PBES2_CIPHERS: ReadonlyMap<string, { readonly name: string; readonly keySize: number; readonly blockSize: number }> = new Map([
  ["2.16.840.1.101.3.4.1.2", { name: "aes-128-cbc", keySize: 16, blockSize: BLOCK_OF_AES }],
  ["2.16.840.1.101.3.4.1.22", { name: "aes-192-cbc", keySize: 24, blockSize: BLOCK_OF_AES }],
  [AES_256_CBC, { name: "aes-256-cbc", keySize: 32, blockSize: BLOCK_OF_AES }],
  ["1.2.840.113549.3.7", { name: "des-ede3-cbc", keySize: 24, blockSize: BLOCK_OF_DES }],
]);

function known<T>(all: ReadonlyMap<string, T>, oid: string): T {
  const found = all.get(oid);
  if (found === undefined) throw new DerError(`pkcs12: algorithm ${oid} is not supported`);
  return found;
}

const KEY_DERIVATIONS: ReadonlyMap<string, typeof pbkdf2Sync> = new Map([[PBKDF2, pbkdf2Sync]]);

/** RFC 8018. */
function pbes2Scheme(parameters: Uint8Array): Scheme {
  const fields = new DerReader(parameters).enter(sequence("pbes2Params"));
  const derivation = readAlgorithm(fields);
  const encryption = readAlgorithm(fields);
  const { name, keySize, blockSize } = known(PBES2_CIPHERS, encryption.oid);
  const derive = known(KEY_DERIVATIONS, derivation.oid);
  const kdf = new DerReader(derivation.parameters).enter(sequence("pbkdf2Params"));
  const salt = kdf.next(OCTET_STRING).content;
  const rounds = smallInteger(kdf.next(INTEGER));
  kdf.optional(INTEGER);
  const digest = known(DIGESTS_BY_PRF, kdf.isAtEnd ? HMAC_WITH_SHA1 : readAlgorithm(kdf).oid);
  const vector = new DerReader(encryption.parameters).next(OCTET_STRING).content;
  if (vector.length !== blockSize) throw new DerError("pkcs12: the initialization vector has the wrong length");
  if (rounds < 1) throw new DerError("pkcs12: the iteration count is not positive");
  return {
    // HMAC hashes twice.
    rounds: rounds * blocksOf(digest, keySize) * 2,
    blockSize,
    open: ({ utf8 }) => cbc(name, derive(utf8, salt, rounds, keySize, digest), vector),
  };
}

function schemeOf({ oid, parameters }: Algorithm): Scheme {
  return oid === PBES2 ? pbes2Scheme(parameters) : legacyScheme(known(LEGACY_SCHEMES, oid), parameters);
}

/** Returns the rounds that a decryption would take, before any is done. */
export const roundsOf = (algorithm: Algorithm): number => schemeOf(algorithm).rounds;

export function decrypt(algorithm: Algorithm, encrypted: Uint8Array, { password, budget }: Opening): Uint8Array {
  const { rounds, blockSize, open } = schemeOf(algorithm);
  spend(budget, rounds);
  const decipher = open(password);
  if (encrypted.length === 0) throw new DerError("pkcs12: empty encrypted data");
  if (encrypted.length % blockSize !== 0) throw new DerError("pkcs12: input is not a multiple of the block size");
  const decrypted = decipher(encrypted);
  const padding = decrypted.at(-1) ?? 0;
  const isPadded = padding >= 1 && padding <= blockSize && decrypted.subarray(-padding).every((byte) => byte === padding);
  if (!isPadded) throw new DerError("pkcs12: decryption error, incorrect padding");
  return decrypted.subarray(0, -padding);
}
