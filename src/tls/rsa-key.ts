import { generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";

const generate = promisify(generateKeyPair);

/** The exponent everybody uses; OpenSSL's default, stated because certificates outlive defaults. */
const PUBLIC_EXPONENT = 0x1_00_01;

/**
 * A new RSA key, made by OpenSSL on a pool thread: node-forge's own generator would hold up the event loop, and with it
 * admission, for seconds.
 */
export async function newRsaKey(bits: number): Promise<KeyObject> {
  const { privateKey } = await generate("rsa", { modulusLength: bits, publicExponent: PUBLIC_EXPONENT });
  return privateKey;
}

/** PKCS#8 PEM. The text is the secret itself: it goes into the Secret, to the TLS server or to the signing library. */
export function privateKeyPem(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}
