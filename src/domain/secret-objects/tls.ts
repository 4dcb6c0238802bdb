/** What the driver puts into a Secret of type kubernetes.io/tls: the certificates or the key of a file, each encoded anew. */
import { encodeBlocks, pemOf } from "../content/certificate-pem.ts";
import type { PemBlock, Pki } from "../ports/pki.ts";
import { failed, ok, type Result } from "../result.ts";

export const TLS_TYPE = "kubernetes.io/tls";

const CERTIFICATE = "CERTIFICATE";
const PRIVATE_KEY = "PRIVATE KEY";

/** The file as PEM, else as PKCS#12 in binary. */
function certificates(contents: Uint8Array, pki: Pki): Result<Uint8Array, string> {
  const { blocks, rest } = pki.decodePem(contents);
  const isCertificate = ({ type }: PemBlock) => type === CERTIFICATE;
  const found = blocks.filter(isCertificate);
  if (found.length > 0) return ok(encodeBlocks(found, pki));
  const unpacked = pki.decodePkcs12(rest);
  return unpacked.ok ? ok(encodeBlocks(unpacked.value.filter(isCertificate), pki)) : unpacked;
}

/** The last block that is no certificate; undefined where a PKCS#12 file has no key. */
function keyDer(contents: Uint8Array, pki: Pki): Result<Uint8Array | undefined, string> {
  const { blocks, rest } = pki.decodePem(contents);
  const last = blocks.findLast(({ type }) => type !== CERTIFICATE);
  if (last !== undefined) return ok(last.der);
  const unpacked = pki.decodePkcs12(rest);
  return unpacked.ok ? ok(unpacked.value.findLast(({ type }) => type === PRIVATE_KEY)?.der) : unpacked;
}

function privateKey(contents: Uint8Array, pki: Pki): Result<Uint8Array, string> {
  const der = keyDer(contents, pki);
  if (!der.ok) return der;
  const key = der.value && pki.readPrivateKey(der.value);
  // What is no key becomes an empty block: so it is with the driver, whose Secrets this must equal.
  if (key === undefined) return ok(pemOf(PRIVATE_KEY, new Uint8Array(), pki));
  if (key.kind === "other") return failed("unknown private key type found while getting key. Only rsa and ecdsa are supported");
  return ok(pemOf(key.kind === "rsa" ? "RSA PRIVATE KEY" : "EC PRIVATE KEY", key.traditional, pki));
}

/** The value of `key`. Any other key than the two is refused, whatever the file holds. */
export function tlsValue(key: string, contents: Uint8Array, pki: Pki): Result<Uint8Array, string> {
  if (key === "tls.crt") return certificates(contents, pki);
  if (key === "tls.key") return privateKey(contents, pki);
  return failed(`key '${key}' is not supported. Only 'tls.key' and 'tls.crt' are supported`);
}
