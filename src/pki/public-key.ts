import { createPublicKey, type JsonWebKey } from "node:crypto";
import type { PublicJwk } from "../domain/ports/vault-object.ts";
import { failed, ok, type Result } from "../domain/result.ts";
import { curveByJwk } from "./curves.ts";

/** RSA of 16,384 bits has 2 KiB; what is longer would only cost time. */
const MAX_NUMBER_BYTES = 16_384;

const base64url = (number: Uint8Array) => Buffer.from(number).toString("base64url");

function withoutLeadingZeros(number: Uint8Array | undefined): Uint8Array {
  const significant = (number ?? new Uint8Array()).findIndex((byte) => byte !== 0);
  return significant < 0 ? new Uint8Array() : (number ?? new Uint8Array()).subarray(significant);
}

function toSpki(jwk: JsonWebKey, words: string): Result<Uint8Array, string> {
  try {
    return ok(createPublicKey({ key: jwk, format: "jwk" }).export({ type: "spki", format: "der" }));
  } catch {
    // Node's words name neither the object nor what to do; the caller's do.
    return failed(words);
  }
}

function ofRsa({ n, e }: PublicJwk): Result<Uint8Array, string> {
  const words = "x509: invalid RSA public key";
  const [modulus, exponent] = [withoutLeadingZeros(n), withoutLeadingZeros(e)];
  if (modulus.length === 0 || exponent.length === 0 || modulus.length > MAX_NUMBER_BYTES || exponent.length > 8) return failed(words);
  return toSpki({ kty: "RSA", n: base64url(modulus), e: base64url(exponent) }, words);
}

function ofEc({ crv = "", x, y }: PublicJwk): Result<Uint8Array, string> {
  const curve = curveByJwk(crv);
  if (curve === undefined) return failed(`curve ${crv} is not supported`);
  const words = "x509: invalid elliptic curve public key";
  const coordinates = [x, y].map(withoutLeadingZeros);
  if (coordinates.some(({ length }) => length > curve.size)) return failed(words);
  const [left = "", right = ""] = coordinates.map((number) =>
    base64url(Buffer.concat([new Uint8Array(curve.size - number.length), number])),
  );
  return toSpki({ kty: "EC", crv, x: left, y: right }, words);
}

/** SubjectPublicKeyInfo in DER. */
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
