import { createPublicKey, type JsonWebKey } from "node:crypto";
import type { PublicJwk } from "../domain/ports/vault-object.ts";
import { failed, ok, type Result } from "../domain/result.ts";
import { curveByJwk } from "./curves.ts";

/** An RSA modulus of 16,384 bits has 2 KiB. A longer number would only cost time. */
const MAX_NUMBER_BYTES = 16_384;

const base64url = (number: Uint8Array | undefined) => Buffer.from(number ?? []).toString("base64url");

/** Whether it is a number, with at most `mostBytes` bytes after the leading zeros. */
function isNumber(number: Uint8Array | undefined, mostBytes: number): boolean {
  const bytes = Buffer.from(number ?? []);
  const first = bytes.findIndex((byte) => byte !== 0);
  return first >= 0 && bytes.length - first <= mostBytes;
}

function toSpki(jwk: JsonWebKey, words: string): Result<Uint8Array, string> {
  try {
    return ok(createPublicKey({ key: jwk, format: "jwk" }).export({ type: "spki", format: "der" }));
  } catch {
    // Node's words name neither the object nor the remedy. The caller's words do.
    return failed(words);
  }
}

function ofRsa({ n, e }: PublicJwk): Result<Uint8Array, string> {
  const words = "x509: invalid RSA public key";
  if (!isNumber(n, MAX_NUMBER_BYTES) || !isNumber(e, 8)) return failed(words);
  return toSpki({ kty: "RSA", n: base64url(n), e: base64url(e) }, words);
}

function ofEc({ crv = "", x, y }: PublicJwk): Result<Uint8Array, string> {
  if (curveByJwk(crv) === undefined) return failed(`curve ${crv} is not supported`);
  return toSpki({ kty: "EC", crv, x: base64url(x), y: base64url(y) }, "x509: invalid elliptic curve public key");
}

/** Encodes the key as SubjectPublicKeyInfo in DER. */
export function encodePublicKey(jwk: PublicJwk): Result<Uint8Array, string> {
  switch (jwk.kty) {
    case "RSA":
    case "RSA-HSM":
      return ofRsa(jwk);
    case "EC":
    case "EC-HSM":
      return ofEc(jwk);
    default:
      return failed(`failed to get key. key type '${jwk.kty}' currently not supported`);
  }
}
