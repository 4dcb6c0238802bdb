/** The curves that Go's crypto/x509 knows; keys on others are not read. */
export interface Curve {
  readonly oid: string;
  /** OpenSSL's name. */
  readonly name: string;
  /** Bytes of a coordinate and of a private key. */
  readonly size: number;
  /** Name in a JSON Web Key; Key Vault has no keys on the curve without one. */
  readonly jwk?: string;
}

const CURVES: readonly Curve[] = [
  { oid: "1.3.132.0.33", name: "secp224r1", size: 28 },
  { oid: "1.2.840.10045.3.1.7", name: "prime256v1", size: 32, jwk: "P-256" },
  { oid: "1.3.132.0.34", name: "secp384r1", size: 48, jwk: "P-384" },
  { oid: "1.3.132.0.35", name: "secp521r1", size: 66, jwk: "P-521" },
];

export const curveByOid = (oid: string): Curve | undefined => CURVES.find((curve) => curve.oid === oid);

export const curveByJwk = (name: string): Curve | undefined => CURVES.find((curve) => curve.jwk === name);
