import { generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";

const generate = promisify(generateKeyPair);

/** The usual exponent and OpenSSL's default. It is explicit because certificates outlive defaults. */
const PUBLIC_EXPONENT = 0x1_00_01;

/**
 * Creates a new RSA key with OpenSSL on a pool thread. node-forge's own generator would block the event loop, and with it admission, for
 * seconds.
 */
export async function newRsaKey(bits: number): Promise<KeyObject> {
  const { privateKey } = await generate("rsa", { modulusLength: bits, publicExponent: PUBLIC_EXPONENT });
  return privateKey;
}

/** Returns PKCS#8 PEM. The text is itself a secret: it goes into the Secret, to the TLS server or to the signing library. */
export function privateKeyPem(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}
