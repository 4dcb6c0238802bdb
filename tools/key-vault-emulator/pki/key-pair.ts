import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";

import { EmulatorInputError } from "../input-error.ts";

export const CURVES = ["P-256", "P-384", "P-521", "P-256K"] as const;

/** Key Vault's names: https://learn.microsoft.com/azure/key-vault/keys/about-keys-details */
export type Curve = (typeof CURVES)[number];

export const RSA_SIZES = [2048, 3072, 4096] as const;

export type RsaSize = (typeof RSA_SIZES)[number];

export type KeySpec = { readonly kind: "RSA"; readonly size: RsaSize } | { readonly kind: "EC"; readonly curve: Curve };

export interface KeyPair {
  readonly spec: KeySpec;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

const OPENSSL_CURVES: Readonly<Record<Curve, string>> = {
  "P-256": "prime256v1",
  "P-384": "secp384r1",
  "P-521": "secp521r1",
  "P-256K": "secp256k1",
};

export async function generateKeys(spec: KeySpec): Promise<KeyPair> {
  const { privateKey, publicKey } =
    spec.kind === "RSA"
      ? await promisify(generateKeyPair)("rsa", { modulusLength: spec.size })
      : await promisify(generateKeyPair)("ec", { namedCurve: OPENSSL_CURVES[spec.curve] });
  return { spec, privateKey, publicKey };
}

/** Creates a pair from a private key in PEM: PKCS#8, PKCS#1 or SEC1. */
export function keyPairFromPem(pem: string): KeyPair {
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey(pem);
  } catch (cause) {
    throw new EmulatorInputError("pem: holds no readable private key without a passphrase; give PKCS#8, PKCS#1 or SEC1", { cause });
  }
  return { spec: specOf(privateKey), privateKey, publicKey: createPublicKey(privateKey) };
}

function specOf(key: KeyObject): KeySpec {
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {};
  const size = RSA_SIZES.find((one) => one === modulusLength);
  if (key.asymmetricKeyType === "rsa" && size !== undefined) return { kind: "RSA", size };
  const curve = CURVES.find((one) => OPENSSL_CURVES[one] === namedCurve);
  if (key.asymmetricKeyType === "ec" && curve !== undefined) return { kind: "EC", curve };
  throw new EmulatorInputError(`pem: use an RSA key of ${RSA_SIZES.join(", ")} bits or an EC key on ${CURVES.join(", ")}`);
}

export function publicDer(key: KeyObject): Buffer {
  return key.export({ type: "spki", format: "der" });
}

export function publicPem(key: KeyObject): string {
  return key.export({ type: "spki", format: "pem" }).toString();
}

/** PKCS#8. */
export function privateDer(key: KeyObject): Buffer {
  return key.export({ type: "pkcs8", format: "der" });
}

export function privatePem(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}
