/** Converts the value of a certificate's secret to PEM. */
import { concatenated } from "../bytes.ts";
import type { DerivationBudget } from "../derivation-budget.ts";
import { decodeBase64 } from "../encodings.ts";
import { type DecodingProblem, type PemBlock, type Pki, undecodable } from "../ports/pki.ts";
import { failed, ok, type Result } from "../result.ts";
import { orderChain } from "./pem-chain.ts";

const CERTIFICATE = "CERTIFICATE";
const NO_HEADERS: ReadonlyMap<string, string> = new Map();

/** Returns the PEM text of several blocks. */
export function encodeBlocks(blocks: readonly PemBlock[], pki: Pki): Uint8Array {
  return concatenated(blocks.map((block) => pki.encodePem(block)));
}

function keysOf(blocks: readonly PemBlock[], pki: Pki): Result<readonly PemBlock[], string> {
  const keys: PemBlock[] = [];
  for (const { type, der } of blocks) {
    const key = pki.readPrivateKey(der);
    if (key === undefined || key.kind === "other") return failed("failed to parse key for type pkcs1, pkcs8 or ec");
    keys.push({ type, headers: NO_HEADERS, der: key.pkcs8 });
  }
  return ok(keys);
}

export interface ChainOptions {
  readonly pki: Pki;
  /** `--construct-pem-chain` */
  readonly constructPemChain: boolean;
  /** All files of a class share one budget. Without it, the file has its own. */
  readonly budget?: DerivationBudget | undefined;
}

/** Converts the base64 text of a PKCS#12 file: keys first, as PKCS#8, then certificates, without names and other headers. */
export function pemOfPkcs12(text: Uint8Array, { pki, constructPemChain, budget }: ChainOptions): Result<Uint8Array, DecodingProblem> {
  const file = decodeBase64(text);
  if (!file.ok) return undecodable(file.error);
  const blocks = pki.decodePkcs12(file.value, budget);
  if (!blocks.ok) return blocks;
  const pem = pemOfBlocks(blocks.value, pki, (certificates) => (constructPemChain ? orderChain(certificates, pki) : ok(certificates)));
  return pem.ok ? pem : undecodable(pem.error);
}

/**
 * Returns the content of a PKCS#12 file as the provider writes it: keys first, as PKCS#8, then certificates, without names and other
 * headers.
 */
export function pemOfBlocks(
  found: readonly PemBlock[],
  pki: Pki,
  order: (certificates: readonly Uint8Array[]) => Result<readonly Uint8Array[], string> = ok,
): Result<Uint8Array, string> {
  const isCertificate = ({ type }: PemBlock) => type === CERTIFICATE;
  const keys = keysOf(
    found.filter((block) => !isCertificate(block)),
    pki,
  );
  if (!keys.ok) return keys;
  const ordered = order(found.filter(isCertificate).map(({ der }) => der));
  if (!ordered.ok) return ordered;
  const certificates = ordered.value.map((der) => ({ type: CERTIFICATE, headers: NO_HEADERS, der }));
  return ok(encodeBlocks([...keys.value, ...certificates], pki));
}

/** Returns the PEM text of one block without headers. */
export function pemOf(type: string, der: Uint8Array, pki: Pki): Uint8Array {
  return pki.encodePem({ type, headers: NO_HEADERS, der });
}

/** Returns the certificates of a PEM text, or everything else in it. The result is empty if the text has none, as with a PKCS#12 file. */
export function pickBlocks(text: Uint8Array, part: "certificates" | "keys", pki: Pki): Uint8Array {
  const blocks = pki.decodePem(text).blocks.filter(({ type }) => (type === CERTIFICATE) === (part === "certificates"));
  return encodeBlocks(blocks, pki);
}
