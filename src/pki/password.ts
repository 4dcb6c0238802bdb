/**
 * From the password to keys. A PFX out of Key Vault has the empty password, which programs encode in two ways: as a
 * terminating zero character, or as nothing at all.
 */
import { hash, pbkdf2Sync } from "node:crypto";
import type { DerivationBudget } from "../domain/content/derivation-budget.ts";
import { DerError } from "./der.ts";

/** Two zero bytes, or none. */
export type EmptyPassword = Uint8Array;
export const EMPTY_PASSWORDS = { terminated: new Uint8Array(2), nothing: new Uint8Array() } as const;

/** Digests of PKCS#12: their output and their block, in bytes. */
export interface Digest {
  readonly name: "sha1" | "sha224" | "sha256" | "sha384" | "sha512";
  readonly size: number;
  readonly block: number;
}

export const SHA1: Digest = { name: "sha1", size: 20, block: 64 };

/** Before any of them is done. */
function spend(budget: DerivationBudget, rounds: number): void {
  const cost = Math.max(1, rounds);
  const refusal = budget.refusal(cost);
  if (refusal !== undefined) throw new DerError(refusal);
  budget.spend(cost);
}

/** What a derived key is for, by the standard's number. */
export const PURPOSE = { key: 1, vector: 2, mac: 3 } as const;

export interface Derivation {
  readonly digest: Digest;
  readonly password: EmptyPassword;
  readonly salt: Uint8Array;
  readonly rounds: number;
  readonly purpose: (typeof PURPOSE)[keyof typeof PURPOSE];
  /** Bytes wanted. */
  readonly size: number;
}

/** Whole blocks of the pattern, repeated. */
function fill(pattern: Uint8Array, block: number): Uint8Array {
  const length = block * Math.ceil(pattern.length / block);
  return Uint8Array.from({ length }, (_, index) => pattern[index % pattern.length] ?? 0);
}

/** `target += addend + 1` as big-endian numbers of equal length, without the carry. */
function addInPlace(target: Uint8Array, addend: Uint8Array): void {
  let carry = 1;
  for (let index = target.length - 1; index >= 0; index -= 1) {
    const sum = (target[index] ?? 0) + (addend[index % addend.length] ?? 0) + carry;
    target[index] = sum & 0xff;
    carry = sum >> 8;
  }
}

/** RFC 7292, appendix B.2. */
export function deriveLegacy({ digest, password, salt, rounds, purpose, size }: Derivation, budget: DerivationBudget): Uint8Array {
  const { name, block } = digest;
  const input = Buffer.concat([fill(salt, block), fill(password, block)]);
  const blocks: Uint8Array[] = [];
  for (let made = 0; made < size; made += digest.size) {
    spend(budget, rounds);
    let derived: Uint8Array = hash(name, Buffer.concat([new Uint8Array(block).fill(purpose), input]), "buffer");
    for (let round = 1; round < rounds; round += 1) derived = hash(name, derived, "buffer");
    blocks.push(derived);
    const addend = Uint8Array.from({ length: block }, (_, index) => derived[index % derived.length] ?? 0);
    for (let start = 0; start < input.length; start += block) addInPlace(input.subarray(start, start + block), addend);
  }
  return Buffer.concat(blocks).subarray(0, size);
}

export interface Pbkdf2 {
  readonly digest: Digest;
  readonly salt: Uint8Array;
  readonly rounds: number;
  readonly size: number;
}

/** What a derivation costs, in rounds of one hash: each block of the key takes all of them. */
export const legacyRounds = ({ digest, rounds, size }: Pick<Derivation, "digest" | "rounds" | "size">): number =>
  rounds * Math.ceil(size / digest.size);

/** HMAC hashes twice. */
export const pbkdf2Rounds = ({ digest, rounds, size }: Pick<Pbkdf2, "digest" | "rounds" | "size">): number =>
  rounds * Math.ceil(size / digest.size) * 2;

/** RFC 8018 with the empty password, which has one encoding there. */
export function derivePbkdf2({ digest, salt, rounds, size }: Pbkdf2, budget: DerivationBudget): Uint8Array {
  if (rounds < 1) throw new DerError("pkcs12: the iteration count is not positive");
  spend(budget, pbkdf2Rounds({ digest, rounds, size }));
  return pbkdf2Sync("", salt, rounds, size, digest.name);
}
