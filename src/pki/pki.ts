import type { Pki } from "../domain/ports/pki.ts";
import { keyedHash } from "../runtime/keyed-hash.ts";
import { readCertificate } from "./certificate.ts";
import { decodePem, encodePem } from "./pem.ts";
import { decodePkcs12 } from "./pkcs12.ts";
import { readPrivateKey } from "./private-key.ts";
import { encodePublicKey } from "./public-key.ts";
import { encodeJksTrustStore } from "./stores/jks-trust-store.ts";
import { encodePkcs12, encodePkcs12TrustStore } from "./stores/pkcs12-stores.ts";

/** Keys, certificates and their containers. Keeps no state. */
export const pki: Pki = {
  decodePem,
  encodePem,
  decodePkcs12,
  readPrivateKey,
  readCertificate,
  encodePublicKey,
  encodePkcs12,
  encodePkcs12TrustStore,
  encodeJksTrustStore,
  keyedHash,
};
