import { createPublicKey, type KeyObject, sign as opensslSign, randomBytes, X509Certificate } from "node:crypto";
import forge from "node-forge";
import { AUTHORITY_LIFETIME, BACKDATE, LEAF_LIFETIME } from "../domain/certificates/lifetimes.ts";
import { AUTHORITY_SECRET } from "../domain/certificates/names.ts";
import type { AuthorityCertificate } from "../domain/certificates/verdict.ts";
import { authorityFactsOf } from "./read-certificate.ts";
import { TlsError } from "./tls-error.ts";

/** A CA certificate and its key, with which it can sign. */
export interface SigningAuthority {
  readonly pem: string;
  readonly key: KeyObject;
}

/** Issues a self-signed CA for `key`, valid from an hour before `now`. */
export function issueAuthority(key: KeyObject, now: number): AuthorityCertificate {
  const serial = randomSerial();
  const certificate = blankCertificate(key, { serial, notBefore: now - BACKDATE, notAfter: now + AUTHORITY_LIFETIME });
  // The bundle contains two CAs during a rotation. Different names keep verifiers from trying the wrong key, and people from confusing the
  // CAs.
  certificate.setSubject([{ name: "commonName", value: `keyvault-injector CA ${serial.slice(0, 8)}` }]);
  certificate.setIssuer(certificate.subject.attributes);
  certificate.setExtensions([
    // Path length 0: this CA signs leaves, and never another CA.
    { name: "basicConstraints", critical: true, cA: true, pathLenConstraint: 0 },
    { name: "keyUsage", critical: true, keyCertSign: true, cRLSign: true },
    { name: "subjectKeyIdentifier" },
  ]);
  sign(certificate, key);
  return authorityFactsOf(new X509Certificate(forge.pki.certificateToPem(certificate)));
}

export interface LeafRequest {
  readonly key: KeyObject;
  /** The first name becomes the common name. */
  readonly dnsNames: readonly string[];
  /** Unix milliseconds. */
  readonly now: number;
}

/**
 * Issues a serving certificate for the names, as PEM. It never outlives its CA. Throws {@link TlsError} if the CA's signature does not
 * verify.
 */
export function issueLeaf(authority: SigningAuthority, { key, dnsNames, now }: LeafRequest): string {
  const issuer = parseIssuer(authority.pem);
  const notAfter = Math.min(now + LEAF_LIFETIME, issuer.validity.notAfter.getTime());
  const certificate = blankCertificate(key, { serial: randomSerial(), notBefore: now - BACKDATE, notAfter });
  certificate.setSubject([{ name: "commonName", value: dnsNames[0] ?? "" }]);
  certificate.setIssuer(issuer.subject.attributes.map(decoded));
  certificate.setExtensions([
    { name: "basicConstraints", critical: true, cA: false },
    { name: "keyUsage", critical: true, digitalSignature: true, keyEncipherment: true },
    { name: "extKeyUsage", serverAuth: true },
    { name: "subjectAltName", altNames: dnsNames.map((value) => ({ type: DNS_NAME, value })) },
    { name: "subjectKeyIdentifier" },
    ...authorityKeyIdentifier(issuer),
  ]);
  sign(certificate, authority.key);
  const pem = forge.pki.certificateToPem(certificate);
  verifyIssued(pem, authority.pem);
  return pem;
}

/** GeneralName choice `dNSName` of RFC 5280, section 4.2.1.6. */
const DNS_NAME = 2;

interface Blank {
  readonly serial: string;
  readonly notBefore: number;
  readonly notAfter: number;
}

function blankCertificate(key: KeyObject, { serial, notBefore, notAfter }: Blank): forge.pki.Certificate {
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(createPublicKey(key).export({ type: "spki", format: "pem" }).toString());
  certificate.serialNumber = serial;
  certificate.validity.notBefore = new Date(notBefore);
  certificate.validity.notAfter = new Date(notAfter);
  return certificate;
}

/** A number, because the type definitions give the field another enum. */
const UTF8_STRING: number = forge.asn1.Type.UTF8;

/** node-forge keeps the bytes of a parsed name and encodes them again when it writes: "ß" would become four bytes. */
function decoded(attribute: forge.pki.CertificateField): forge.pki.CertificateField {
  const { value, valueTagClass } = attribute;
  const isUtf8 = Number(valueTagClass) === UTF8_STRING;
  return isUtf8 && typeof value === "string" ? { ...attribute, value: forge.util.decodeUtf8(value) } : attribute;
}

declare module "node-forge" {
  namespace pki {
    interface Certificate {
      /** Uses a private key only by calling its `sign`. */
      sign(signer: { readonly sign: () => string }, digest: md.MessageDigest): void;
    }
  }
}

/**
 * Signs with OpenSSL the bytes that node-forge composed. node-forge's own RSA is JavaScript: its two signatures took a third of the
 * process's start.
 */
function sign(certificate: forge.pki.Certificate, key: KeyObject): void {
  const signer = {
    // Called once the part to be signed is complete.
    sign: () => opensslSign("sha256", derOf(certificate.tbsCertificate), key).toString("latin1"),
  };
  certificate.sign(signer, forge.md.sha256.create());
}

function derOf(value: unknown): Buffer {
  // node-forge composed this value itself.
  return Buffer.from(forge.asn1.toDer(value as forge.asn1.Asn1).getBytes(), "latin1");
}

/**
 * A serial number of 127 bits in hex, 126 of them random: never negative, never zero, and without a leading zero byte, which DER would not
 * allow.
 */
function randomSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString("hex");
}

/** Returns the identifier that the CA certificate itself contains. In a CA from elsewhere, it need not be the hash that we would use. */
function authorityKeyIdentifier(issuer: forge.pki.Certificate): readonly object[] {
  const stated = issuer.getExtension("subjectKeyIdentifier");
  if (stated === null || stated === undefined || !("subjectKeyIdentifier" in stated)) return [];
  return [{ name: "authorityKeyIdentifier", keyIdentifier: forge.util.hexToBytes(String(stated.subjectKeyIdentifier)) }];
}

/** node-forge supports fewer kinds of certificate than OpenSSL, which has already read this one. */
function parseIssuer(pem: string): forge.pki.Certificate {
  try {
    return forge.pki.certificateFromPem(pem);
  } catch {
    throw cannotCertify();
  }
}

function cannotCertify(): TlsError {
  return new TlsError(
    "CannotCertify",
    `certificates that the CA in Secret ${AUTHORITY_SECRET} signs do not verify: delete that Secret, and the webhook creates a new CA`,
  );
}

function verifyIssued(leafPem: string, authorityPem: string): void {
  const leaf = new X509Certificate(leafPem);
  const authority = new X509Certificate(authorityPem);
  if (leaf.checkIssued(authority) && leaf.verify(authority.publicKey)) return;
  throw cannotCertify();
}
