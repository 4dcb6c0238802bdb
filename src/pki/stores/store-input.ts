/** The input of a store, checked before any of it is written. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { failed, ok, type Result } from "../../domain/result.ts";
import { readPrivateKey } from "../private-key.ts";

/** Reason why no store can be created. Its words contain nothing of the input. Never leaves this folder. */
class StoreRefusal extends Error {
  override readonly name = "StoreRefusal";
}

export const storeRefusal = (words: string) => new StoreRefusal(words);

/** Returns the store, or the words of the refusal. */
export function orRefusal(write: () => Uint8Array): Result<Uint8Array, string> {
  try {
    return ok(write());
  } catch (error) {
    if (error instanceof StoreRefusal) return failed(error.message);
    throw error;
  }
}

function certificateOf(der: Uint8Array): X509Certificate | undefined {
  try {
    const certificate = new X509Certificate(der);
    // OpenSSL also accepts PEM, BER, and bytes after the certificate. A program that opens the store may not.
    return certificate.raw.equals(der) ? certificate : undefined;
  } catch {
    // OpenSSL's words do not name the certificate. The caller's words do.
    return undefined;
  }
}

/** Reads certificates. Throws if there is none. */
export function readCertificates(ders: readonly Uint8Array[]): readonly [X509Certificate, ...X509Certificate[]] {
  const [first, ...others] = ders.map((der, index) => {
    const certificate = certificateOf(der);
    if (certificate === undefined) throw storeRefusal(`certificate ${index + 1} of ${ders.length} is not an X.509 certificate in DER`);
    return certificate;
  });
  if (first === undefined) throw storeRefusal("there are no certificates, and a store needs at least one");
  return [first, ...others];
}

function belongs(pkcs8: Uint8Array, certificate: X509Certificate): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey({ key: Buffer.from(pkcs8), format: "der", type: "pkcs8" }));
  } catch {
    // OpenSSL cannot use the certificate's public key.
    return false;
  }
}

/** Returns the key of the leaf as PKCS#8 DER. */
export function readKeyOf(leaf: X509Certificate, der: Uint8Array): Uint8Array {
  const key = readPrivateKey(der);
  if (key === undefined) throw storeRefusal("the private key is not in PKCS#8, PKCS#1 or SEC 1, or it is broken");
  if (key.kind === "other") throw storeRefusal("the private key is neither RSA nor EC");
  if (!belongs(key.pkcs8, leaf)) {
    throw storeRefusal(
      "the private key does not belong to the first certificate. Put the certificate of the key before those of its issuers",
    );
  }
  return key.pkcs8;
}

/**
 * keytool and OpenSSL open stores with the empty password. But programs encode it in two ways, keytool creates no such store, and an empty
 * value is more likely a mistake. Java does not open a PKCS#12 store whose password has a control character, which usually is a line break
 * that an editor left. Other characters beyond ASCII are written as the standards require, and OpenSSL opens the store. With them, keytool
 * of Java 17 opens a JKS store, but not a PKCS#12 store.
 */
export function checkPassword(password: string): void {
  if (password === "") throw storeRefusal("the password is empty, and a store needs one");
  if (/\p{Cc}/u.test(password))
    throw storeRefusal("the password contains a control character, such as a line break at its end. Store it without one");
  if (!password.isWellFormed()) throw storeRefusal("the password is not well-formed Unicode text");
}
