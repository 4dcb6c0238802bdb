/** Derives keys from passwords. */
import { createHmac, hash } from "node:crypto";

/** A password in the encodings of the two derivations. */
export interface Password {
  /** RFC 7292, appendix B.1: UTF-16 in big-endian order with a terminating zero character. */
  readonly bmp: Uint8Array;
  /** For PBKDF2. RFC 8018 leaves the encoding open; OpenSSL and Java use this one. */
  readonly utf8: Uint8Array;
}

export function encodePassword(text: string): Password {
  return { bmp: Buffer.from(`${text}\0`, "utf16le").swap16(), utf8: Buffer.from(text) };
}

/** A PFX from Key Vault has the empty password. Programs encode it in two ways: as a terminating zero character, or as nothing at all. */
export const EMPTY_PASSWORDS: readonly Password[] = [encodePassword(""), { bmp: new Uint8Array(), utf8: new Uint8Array() }];

const ARC_OF_SHA2 = "2.16.840.1.101.3.4.2";
const ARC_OF_HMAC = "1.2.840.113549.2";

export const SHA256 = `${ARC_OF_SHA2}.1`;

/** OpenSSL's names, by the identifier of the digest. */
export const DIGESTS: ReadonlyMap<string, string> = new Map([
  ["1.3.14.3.2.26", "sha1"],
  [`${ARC_OF_SHA2}.4`, "sha224"],
  [SHA256, "sha256"],
  [`${ARC_OF_SHA2}.2`, "sha384"],
  [`${ARC_OF_SHA2}.3`, "sha512"],
]);

export const HMAC_WITH_SHA1 = `${ARC_OF_HMAC}.7`;
export const HMAC_WITH_SHA256 = `${ARC_OF_HMAC}.9`;

/** OpenSSL's names, by the identifier of HMAC with the digest, which PBKDF2 uses. */
export const DIGESTS_BY_PRF: ReadonlyMap<string, string> = new Map(
  [...DIGESTS.values()].map((digest, index) => [`${ARC_OF_HMAC}.${7 + index}`, digest]),
);

/** Returns the size in bytes. */
export const sizeOfDigest = (digest: string): number => hash(digest, "", "buffer").length;

/** Purpose of a derived key, by the standard's number. */
export const PURPOSE = { key: 1, vector: 2, mac: 3 } as const;

export interface Derivation {
  readonly digest: string;
  readonly password: Password;
  readonly salt: Uint8Array;
  readonly rounds: number;
  readonly purpose: (typeof PURPOSE)[keyof typeof PURPOSE];
  /** Number of bytes to derive. */
  readonly size: number;
}

/** Adds `addend` and one to every block of `input`, as big-endian numbers, and drops the carry. */
function addToBlocks(input: Buffer, addend: Buffer): void {
  for (let end = input.length; end > 0; end -= addend.length) {
    let carry = 1;
    for (let index = 1; index <= addend.length; index += 1) {
      carry += input.readUInt8(end - index) + addend.readUInt8(addend.length - index);
      input.writeUInt8(carry & 0xff, end - index);
      carry >>= 8;
    }
  }
}

/** RFC 7292, appendix B.2, which `node:crypto` does not have. node-forge implements it in JavaScript, which takes four times as long. */
export function deriveLegacy({ digest, password, salt, rounds, purpose, size }: Derivation): Uint8Array {
  const block = sizeOfDigest(digest) > 32 ? 128 : 64;
  const inBlocks = (pattern: Uint8Array) => Buffer.alloc(block * Math.ceil(pattern.length / block), pattern);
  const input = Buffer.concat([inBlocks(salt), inBlocks(password.bmp)]);
  const parts: Uint8Array[] = [];
  for (let made = 0; made < size; made += sizeOfDigest(digest)) {
    let derived = hash(digest, Buffer.concat([Buffer.alloc(block, purpose), input]), "buffer");
    for (let round = 1; round < rounds; round += 1) derived = hash(digest, derived, "buffer");
    parts.push(derived);
    addToBlocks(input, Buffer.alloc(block, derived));
  }
  return Buffer.concat(parts).subarray(0, size);
}

/** Authentication of a PFX: an HMAC with a key that is derived for it. */
export type MacTerms = Pick<Derivation, "digest" | "password" | "salt" | "rounds">;

export function macOf(message: Uint8Array, terms: MacTerms): Buffer {
  const key = deriveLegacy({ ...terms, purpose: PURPOSE.mac, size: sizeOfDigest(terms.digest) });
  return createHmac(terms.digest, key).update(message).digest();
}
