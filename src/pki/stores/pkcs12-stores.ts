/** Key stores and trust stores in PKCS#12, of which the same input gives the same bytes. */
import { hash } from "node:crypto";
import type { KeyStoreInput, Pkcs12TrustStoreInput } from "../../domain/ports/pki.ts";
import type { Result } from "../../domain/result.ts";
import { FRIENDLY_NAME, LOCAL_KEY_ID } from "../pfx.ts";
import { bmpString, objectId, octetString } from "./der-values.ts";
import { attribute, certificateBag, encryptedContent, keyBag, openContent, pfxOf } from "./pfx-writing.ts";
import { checkPassword, orRefusal, readCertificates, readKeyOf } from "./store-input.ts";

/** Java's name for the only key of a store that gives it none. */
const ALIAS = "1";

/**
 * A key, its certificate and those of its issuers: AES-256 in CBC mode by PBES2 and a MAC by HMAC, both over SHA-256, as keytool and OpenSSL 3 write it. Java
 * reads it from 8u301, 11.0.12 and 12 on. node-forge's own writer, `toPkcs12Asn1`, cannot serve: it draws salts and vectors from its random
 * generator, so that every reconcile would change the Secret; and it takes RSA keys only and leaves certificates open.
 */
export function encodePkcs12({ certificates, key, ...sealing }: KeyStoreInput): Result<Uint8Array, string> {
  return orRefusal(() => {
    checkPassword(sealing.password);
    const [leaf, ...issuers] = readCertificates(certificates);
    const pkcs8 = readKeyOf(leaf, key);
    // Any value links the two; OpenSSL takes this one.
    const id = octetString(hash("sha1", leaf.raw, "buffer"));
    const attributes = [attribute(FRIENDLY_NAME, bmpString(ALIAS)), attribute(LOCAL_KEY_ID, id)];
    const bags = [certificateBag(leaf.raw, attributes), ...issuers.map(({ raw }) => certificateBag(raw, []))];
    return pfxOf([encryptedContent(bags, sealing), openContent(keyBag(pkcs8, attributes, sealing))], sealing);
  });
}

/** Of Oracle; a certificate without a key is an entry to Java only where it has the attribute, and says by it what it is trusted for. */
const TRUSTED_KEY_USAGE = "2.16.840.1.113894.746875.1.1";
const ANY_EXTENDED_KEY_USAGE = "2.5.29.37.0";

/** Certificates that Java trusts, with their numbers as aliases. Encrypted and authenticated as {@link encodePkcs12} does. */
export function encodePkcs12TrustStore({ certificates, ...sealing }: Pkcs12TrustStoreInput): Result<Uint8Array, string> {
  return orRefusal(() => {
    checkPassword(sealing.password);
    const bags = readCertificates(certificates).map(({ raw }, index) => {
      const alias = attribute(FRIENDLY_NAME, bmpString(String(index + 1)));
      return certificateBag(raw, [alias, attribute(TRUSTED_KEY_USAGE, objectId(ANY_EXTENDED_KEY_USAGE))]);
    });
    return pfxOf([encryptedContent(bags, sealing)], sealing);
  });
}
