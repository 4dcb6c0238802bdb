/**
 * Builds the content that the driver writes into a Secret of type kubernetes.io/tls: the certificates or the key of a file, encoded again.
 */
import { encodeBlocks, pemOf } from "../content/certificate-pem.ts";
import type { Decoding, Parts } from "../content/take-apart.ts";
import { type DecodingProblem, type PemBlock, type Pki, undecodable } from "../ports/pki.ts";
import { ok, type Result } from "../result.ts";

export const TLS_TYPE = "kubernetes.io/tls";

/** In the order of {@link tlsParts}. */
const TLS_KEYS = ["tls.crt", "tls.key"] as const;
export type TlsKey = (typeof TLS_KEYS)[number];

export function isTlsKey(key: string): key is TlsKey {
  return TLS_KEYS.some((known) => known === key);
}

const CERTIFICATE = "CERTIFICATE";
const PRIVATE_KEY = "PRIVATE KEY";

/** A file as PEM, and the data after the PEM as binary PKCS#12. The PKCS#12 is opened once, and only if the PEM lacks a part. */
interface OpenFile {
  readonly blocks: readonly PemBlock[];
  readonly unpack: () => Result<readonly PemBlock[], DecodingProblem>;
}

function open(contents: Uint8Array, { pki, budget }: Decoding): OpenFile {
  const { blocks, rest } = pki.decodePem(contents);
  let unpacked: Result<readonly PemBlock[], DecodingProblem> | undefined;
  return {
    blocks,
    unpack: () => {
      unpacked ??= pki.decodePkcs12(rest, budget);
      return unpacked;
    },
  };
}

function certificates({ blocks, unpack }: OpenFile, pki: Pki): Result<Uint8Array, DecodingProblem> {
  const isCertificate = ({ type }: PemBlock) => type === CERTIFICATE;
  const found = blocks.filter(isCertificate);
  if (found.length > 0) return ok(encodeBlocks(found, pki));
  const unpacked = unpack();
  return unpacked.ok ? ok(encodeBlocks(unpacked.value.filter(isCertificate), pki)) : unpacked;
}

/** Returns the last block that is not a certificate; undefined if a PKCS#12 file has no key. */
function keyDer({ blocks, unpack }: OpenFile): Result<Uint8Array | undefined, DecodingProblem> {
  const last = blocks.findLast(({ type }) => type !== CERTIFICATE);
  if (last !== undefined) return ok(last.der);
  const unpacked = unpack();
  return unpacked.ok ? ok(unpacked.value.findLast(({ type }) => type === PRIVATE_KEY)?.der) : unpacked;
}

function privateKey(file: OpenFile, pki: Pki): Result<Uint8Array, DecodingProblem> {
  const der = keyDer(file);
  if (!der.ok) return der;
  const key = der.value && pki.readPrivateKey(der.value);
  // Data that is not a key becomes an empty block, because the Secret must equal that of the driver.
  if (key === undefined) return ok(pemOf(PRIVATE_KEY, new Uint8Array(), pki));
  if (key.kind === "other") return undecodable("unknown private key type found while getting key. Only rsa and ecdsa are supported");
  return ok(pemOf(key.kind === "rsa" ? "RSA PRIVATE KEY" : "EC PRIVATE KEY", key.traditional, pki));
}

/** Returns the certificates and the key of a file. */
export function tlsParts(contents: Uint8Array, decoding: Decoding): Parts {
  const file = open(contents, decoding);
  return [certificates(file, decoding.pki), privateKey(file, decoding.pki)];
}

/** Returns the one of the {@link tlsParts} of a file that belongs to `key`. Refuses every key but the two, whatever the file contains. */
export function partFor<T>(key: string, parts: () => readonly Result<T, DecodingProblem>[]): Result<T, DecodingProblem> {
  if (!isTlsKey(key)) return undecodable(`key '${key}' is not supported. Only 'tls.key' and 'tls.crt' are supported`);
  const made = parts();
  // A single part is the error for both keys.
  return made[TLS_KEYS.indexOf(key)] ?? made[0] ?? undecodable("the file could not be decoded");
}
