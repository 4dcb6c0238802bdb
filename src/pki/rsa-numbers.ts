import type { DerReader } from "./der.ts";
import { INTEGER } from "./der.ts";

const numberIn = (fields: DerReader): bigint => {
  const { content } = fields.next(INTEGER);
  // The first bit is the sign.
  return (content[0] ?? 0x80) >= 0x80 ? -1n : BigInt(`0x${Buffer.from(content).toString("hex")}`);
};

interface Prime {
  readonly prime: bigint;
  /** The private exponent modulo the prime less one, as the key states it. */
  readonly exponent: bigint;
}

/**
 * Whether the eight numbers after the version of a PKCS#1 key belong together. OpenSSL takes any numbers and finds out when the
 * key is used; Go, and so the driver, refuses them.
 */
export function areConsistent(fields: DerReader): boolean {
  const numbers = Array.from({ length: 8 }, () => numberIn(fields));
  if (numbers.some((number) => number <= 0n)) return false;
  const [n = 0n, e = 0n, d = 0n, p = 0n, q = 0n, dp = 0n, dq = 0n, qInverse = 0n] = numbers;
  const fits = ({ prime, exponent }: Prime) => prime > 2n && (e * d) % (prime - 1n) === 1n && exponent === d % (prime - 1n);
  const isOddExponent = e > 2n && e % 2n === 1n;
  return isOddExponent && n === p * q && fits({ prime: p, exponent: dp }) && fits({ prime: q, exponent: dq }) && (qInverse * q) % p === 1n;
}
