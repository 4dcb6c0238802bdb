import { type DerValue, objectIdentifier } from "./der.ts";

/** The curves that Go's crypto/x509 supports. Keys on other curves are not read. */
export interface Curve {
  /** Object identifier, as DER without tag and length. */
  readonly oid: Buffer;
  /** Name in OpenSSL. */
  readonly name: string;
  /** Bytes of a coordinate and of a private key. */
  readonly size: number;
  /** Name in a JSON Web Key. Key Vault has no keys on the curve without one. */
  readonly jwk?: string;
}

const CURVES: readonly Curve[] = [
  { oid: Buffer.from("2b81040021", "hex"), name: "secp224r1", size: 28 },
  { oid: Buffer.from("2a8648ce3d030107", "hex"), name: "prime256v1", size: 32, jwk: "P-256" },
  { oid: Buffer.from("2b81040022", "hex"), name: "secp384r1", size: 48, jwk: "P-384" },
  { oid: Buffer.from("2b81040023", "hex"), name: "secp521r1", size: 66, jwk: "P-521" },
];

/** Returns the curve with this name. Throws if the name is not an object identifier. */
export function curveNamed(name: DerValue): Curve | undefined {
  objectIdentifier(name);
  return CURVES.find(({ oid }) => oid.equals(name.content));
}

export const curveByJwk = (name: string): Curve | undefined => CURVES.find((curve) => curve.jwk === name);
