import type { Pki } from "../domain/ports/pki.ts";
import { readCertificate } from "./certificate.ts";
import { decodePem, encodePem } from "./pem.ts";
import { decodePkcs12 } from "./pkcs12.ts";
import { readPrivateKey } from "./private-key.ts";
import { encodePublicKey } from "./public-key.ts";

/** Keys, certificates and their containers. Keeps nothing. */
export const pki: Pki = { decodePem, encodePem, decodePkcs12, readPrivateKey, readCertificate, encodePublicKey };
