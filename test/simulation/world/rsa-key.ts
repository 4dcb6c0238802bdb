/** An RSA key from drawn numbers. It is far too small for use outside a simulation. */
import { checkPrimeSync, createPrivateKey, createPublicKey } from "node:crypto";
import type { KeyPair } from "../../../tools/key-vault-emulator/pki/key-pair.ts";
import type { Random } from "../time/random.ts";

const PRIME_BYTES = 64;
const EXPONENT = 65_537n;

function prime(random: Random): bigint {
  for (;;) {
    const bytes = random.bytes(PRIME_BYTES);
    bytes[0] = (bytes[0] ?? 0) | 0xc0;
    bytes[PRIME_BYTES - 1] = (bytes[PRIME_BYTES - 1] ?? 0) | 1;
    const candidate = BigInt(`0x${bytes.toString("hex")}`);
    if (candidate % EXPONENT !== 1n && checkPrimeSync(candidate)) return candidate;
  }
}

/** Returns the modular inverse of a number that has no common divisor with the modulus. */
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
