/** An RSA key that follows from drawn numbers; far too small for anything but a simulation. */
import { createPrivateKey, createPublicKey } from "node:crypto";
import type { KeyPair } from "../../../tools/key-vault-emulator/pki/key-pair.ts";
import type { Random } from "../time/random.ts";

const PRIME_BYTES = 64;
const EXPONENT = 65_537n;
/** Witnesses: enough for numbers that nobody has chosen. */
const ROUNDS = 12;
const SMALL_PRIMES = [3n, 5n, 7n, 11n, 13n, 17n, 19n, 23n, 29n, 31n, 37n, 41n, 43n, 47n, 53n, 59n, 61n, 67n, 71n, 73n, 79n, 83n, 89n, 97n];

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  let factor = base % modulus;
  for (let left = exponent; left > 0n; left >>= 1n) {
    if ((left & 1n) === 1n) result = (result * factor) % modulus;
    factor = (factor * factor) % modulus;
  }
  return result;
}

/** Miller and Rabin's. */
function isPrime(candidate: bigint, random: Random): boolean {
  if (SMALL_PRIMES.some((prime) => candidate % prime === 0n)) return false;
  let odd = candidate - 1n;
  let twos = 0;
  for (; (odd & 1n) === 0n; odd >>= 1n) twos += 1;
  const isWitness = (): boolean => {
    let value = power(2n + BigInt(random.below(2 ** 31)), odd, candidate);
    if (value === 1n || value === candidate - 1n) return false;
    for (let turn = 1; turn < twos; turn += 1) {
      value = (value * value) % candidate;
      if (value === candidate - 1n) return false;
    }
    return true;
  };
  return !Array.from({ length: ROUNDS }, isWitness).includes(true);
}

function prime(random: Random): bigint {
  for (;;) {
    const bytes = random.bytes(PRIME_BYTES);
    bytes[0] = (bytes[0] ?? 0) | 0xc0;
    bytes[PRIME_BYTES - 1] = (bytes[PRIME_BYTES - 1] ?? 0) | 1;
    const candidate = BigInt(`0x${bytes.toString("hex")}`);
    if (candidate % EXPONENT !== 1n && isPrime(candidate, random)) return candidate;
  }
}

/** Of two numbers that have no common divisor. */
function inverse(of: bigint, modulus: bigint): bigint {
  let [remainder, next] = [of % modulus, modulus];
  let [factor, nextFactor] = [1n, 0n];
  while (next !== 0n) {
    const quotient = remainder / next;
    [remainder, next] = [next, remainder - quotient * next];
    [factor, nextFactor] = [nextFactor, factor - quotient * nextFactor];
  }
  return ((factor % modulus) + modulus) % modulus;
}

function base64url(number: bigint): string {
  const hex = number.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex").toString("base64url");
}

export function rsaKey(random: Random): KeyPair {
  const [p, q] = [prime(random), prime(random)];
  const d = inverse(EXPONENT, (p - 1n) * (q - 1n));
  const numbers = { n: p * q, e: EXPONENT, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi: inverse(q, p) };
  const jwk = { kty: "RSA", ...Object.fromEntries(Object.entries(numbers).map(([name, number]) => [name, base64url(number)])) };
  const privateKey = createPrivateKey({ key: jwk, format: "jwk" });
  return { spec: { kind: "RSA", size: 2048 }, privateKey, publicKey: createPublicKey(privateKey) };
}
