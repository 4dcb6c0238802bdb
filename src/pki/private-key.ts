import { createECDH, createPrivateKey } from "node:crypto";
import type { PrivateKey } from "../domain/ports/pki.ts";
import { type Curve, curveNamed } from "./curves.ts";
import {
  BIT_STRING,
  DerError,
  DerReader,
  type DerValue,
  INTEGER,
  OBJECT_IDENTIFIER,
  OCTET_STRING,
  objectIdentifier,
  sequence,
  smallInteger,
  syntaxError,
  writeDer,
} from "./der.ts";

const RSA = "1.2.840.113549.1.1.1";
const EC = "1.2.840.10045.2.1";
/** Ed25519 and X25519: Go reads them, but neither the provider nor the driver accepts them. */
const NEITHER_RSA_NOR_EC = new Set(["1.3.101.112", "1.3.101.110"]);
const OTHER_KEY_BYTES = 32;

/** Modulus, two exponents, two primes, and three numbers derived from them. */
const RSA_NUMBERS = 8;

const ALGORITHM = sequence("AlgorithmIdentifier");

/** An RSA key of 16,384 bits has 9 KiB. A longer one would only cost time. */
const MAX_KEY_BYTES = 16_384;

function readRsa(der: Uint8Array): PrivateKey | undefined {
  const pkcs1 = normalizedPkcs1(der);
  if (pkcs1 === undefined) return undefined;
  try {
    const key = createPrivateKey({ key: Buffer.from(pkcs1), format: "der", type: "pkcs1" });
    return {
      kind: "rsa",
      traditional: key.export({ type: "pkcs1", format: "der" }),
      pkcs8: key.export({ type: "pkcs8", format: "der" }),
    };
  } catch {
    // OpenSSL's words do not help a user, and are about a secret.
    return undefined;
  }
}

/** Returns `number` with exactly the curve's size: the input may have too few or too many leading zeros. */
function padded(number: Uint8Array, { size }: Curve): Uint8Array | undefined {
  const excess = number.length - size;
  if (excess > 0) return number.subarray(0, excess).every((byte) => byte === 0) ? number.subarray(excess) : undefined;
  return Buffer.concat([new Uint8Array(-excess), number]);
}

function publicPoint(curve: Curve, scalar: Uint8Array): Uint8Array | undefined {
  try {
    const key = createECDH(curve.name);
    key.setPrivateKey(scalar);
    return key.getPublicKey();
  } catch {
    // The number is zero, or not below the order of the curve.
    return undefined;
  }
}

const [SEQUENCE, OCTETS, BITS, OID] = [0x30, 0x04, 0x03, 0x06] as const;
/** `[0]` and `[1] EXPLICIT` */
const [CURVE_FIELD, POINT_FIELD] = [0xa0, 0xa1] as const;
const [ZERO, ONE] = [Buffer.from("020100", "hex"), Buffer.from("020101", "hex")] as const;
/** {@link EC} */
const EC_ENCODED = Buffer.from("06072a8648ce3d0201", "hex");

/** Always computes and writes the public half, whether or not the input has it, as Go does. */
function ofScalar(curve: Curve, number: Uint8Array): PrivateKey | undefined {
  const scalar = padded(number, curve);
  const point = scalar && publicPoint(curve, scalar);
  if (scalar === undefined || point === undefined) return undefined;
  const head = [ONE, writeDer(OCTETS, scalar)];
  const publicKey = writeDer(POINT_FIELD, writeDer(BITS, Buffer.of(0), point));
  const oid = writeDer(OID, curve.oid);
  return {
    kind: "ec",
    traditional: writeDer(SEQUENCE, ...head, writeDer(CURVE_FIELD, oid), publicKey),
    pkcs8: writeDer(SEQUENCE, ZERO, writeDer(SEQUENCE, EC_ENCODED, oid), writeDer(OCTETS, writeDer(SEQUENCE, ...head, publicKey))),
  };
}

/** The first byte is the number of unused bits in the last byte, which must be zero. */
function checkBitString({ content }: DerValue): void {
  const unused = content[0];
  if (unused === undefined) throw syntaxError("zero length BIT STRING");
  const last = content.at(-1) ?? 0;
  if (unused > 7 || (content.length === 1 && unused > 0) || (last & ((1 << unused) - 1)) !== 0) {
    throw syntaxError("invalid padding bits in BIT STRING");
  }
}

/** RFC 5915. A curve that PKCS#8 names outside has precedence over the one inside, which must be an object identifier in any case. */
function readSec1(der: Uint8Array, outer: DerValue | undefined): PrivateKey | undefined {
  const fields = new DerReader(der).enter(sequence("ecPrivateKey"));
  if (smallInteger(fields.next(INTEGER)) !== 1) return undefined;
  const number = fields.next(OCTET_STRING).content;
  const inner = fields.optionalExplicit(0, OBJECT_IDENTIFIER);
  const publicKey = fields.optionalExplicit(1, BIT_STRING);
  if (publicKey !== undefined) checkBitString(publicKey);
  const [curve] = [outer, inner].filter((name) => name !== undefined).map(curveNamed);
  return curve && ofScalar(curve, number);
}

/** Returns undefined if the parameters name no curve. The key itself may then name one. */
function nameOfCurve(parameters: DerValue | undefined): DerValue | undefined {
  if (parameters === undefined) return undefined;
  try {
    const name = new DerReader(parameters.encoded).next(OBJECT_IDENTIFIER);
    objectIdentifier(name);
    return name;
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

/** RFC 5208. */
function readPkcs8(algorithm: DerReader, key: Uint8Array): PrivateKey | undefined {
  const oid = objectIdentifier(algorithm.next(OBJECT_IDENTIFIER));
  const parameters = algorithm.isAtEnd ? undefined : algorithm.any();
  if (oid === RSA) return readRsa(key);
  if (oid === EC) return readSec1(key, nameOfCurve(parameters));
  const isOther = NEITHER_RSA_NOR_EC.has(oid) && parameters === undefined;
  return isOther && new DerReader(key).next(OCTET_STRING).content.length === OTHER_KEY_BYTES ? { kind: "other" } : undefined;
}

/**
 * Returns the key in the form that OpenSSL accepts. Go reads any version up to 1, and uses the number of primes. Nothing may follow the
 * key, and its numbers must be consistent.
 */
function normalizedPkcs1(der: Uint8Array): Uint8Array | undefined {
  const whole = new DerReader(der);
  const { encoded, content } = whole.next(sequence("pkcs1PrivateKey"));
  if (!whole.isAtEnd) return undefined;
  const fields = new DerReader(content);
  const version = smallInteger(fields.next(INTEGER));
  if (version > 1) return undefined;
  const numbers = new DerReader(content).each((field) => field.any().encoded).slice(1);
  // More than two primes: OpenSSL checks their form.
  if (version === 1 && numbers.length > RSA_NUMBERS) return encoded;
  return areConsistent(fields) ? writeDer(SEQUENCE, ZERO, ...numbers) : undefined;
}

/** The second field distinguishes the three formats: a number, the algorithm, or the key itself. */
function readAny(der: Uint8Array): PrivateKey | undefined {
  const fields = new DerReader(der).enter(sequence("privateKey"));
  fields.next(INTEGER);
  const second = fields.any();
  if (second.tag === INTEGER.tag) return readRsa(der);
  if (second.tag === OCTET_STRING.tag) return readSec1(der, undefined);
  const isAlgorithm = second.classNumber === 0 && second.tag === ALGORITHM.tag && second.isConstructed;
  return isAlgorithm ? readPkcs8(new DerReader(second.content), fields.next(OCTET_STRING).content) : undefined;
}

/**
 * Reads PKCS#1, PKCS#8 or SEC 1. Returns undefined if the key has none of these formats, is broken, or is of a kind that Go does not
 * support.
 */
export function readPrivateKey(der: Uint8Array): PrivateKey | undefined {
  if (der.length > MAX_KEY_BYTES) return undefined;
  try {
    return readAny(der);
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

const numberIn = (fields: DerReader): bigint => {
  const { content } = fields.next(INTEGER);
  // The first bit is the sign.
  return (content[0] ?? 0x80) >= 0x80 ? -1n : BigInt(`0x${Buffer.from(content).toString("hex")}`);
};

interface Prime {
  readonly prime: bigint;
  /** The private exponent modulo the prime minus one, as the key contains it. */
  readonly exponent: bigint;
}

/**
 * Whether the eight numbers after the version of a PKCS#1 key are consistent. OpenSSL accepts any numbers, and detects the fault when the
 * key is used. Go, and so the driver, rejects them.
 */
function areConsistent(fields: DerReader): boolean {
  const numbers = Array.from({ length: 8 }, () => numberIn(fields));
  if (numbers.some((number) => number <= 0n)) return false;
  const [n = 0n, e = 0n, d = 0n, p = 0n, q = 0n, dp = 0n, dq = 0n, qInverse = 0n] = numbers;
  const fits = ({ prime, exponent }: Prime) => prime > 2n && (e * d) % (prime - 1n) === 1n && exponent === d % (prime - 1n);
  const isOddExponent = e > 2n && e % 2n === 1n;
  return isOddExponent && n === p * q && fits({ prime: p, exponent: dp }) && fits({ prime: q, exponent: dq }) && (qInverse * q) % p === 1n;
}
