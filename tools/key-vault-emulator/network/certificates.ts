import { generateKeyPair, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import forge from "node-forge";

const DAY = 86_400_000;
const CA_NAME = "Key Vault emulator CA";

export interface ServingCertificate {
  /** PEM of the CA certificate that clients must trust. The CA's key is discarded after signing and never written to disk. */
  readonly caPem: string;
  readonly certificatePem: string;
  readonly keyPem: string;
}

/** Issues a CA and one leaf for all emulated names. Both are new at every start and valid for 30 days. */
export async function issueServingCertificate(dnsNames: readonly string[]): Promise<ServingCertificate> {
  const [caKey, leafKey] = await Promise.all([newRsaKey(), newRsaKey()]);
  const ca = selfSignedCa(caKey);
  const leaf = signedLeaf(leafKey, { ca, caKey, dnsNames });
  return {
    caPem: forge.pki.certificateToPem(ca),
    certificatePem: forge.pki.certificateToPem(leaf),
    keyPem: forge.pki.privateKeyToPem(leafKey.privateKey),
  };
}

/** Keys come from OpenSSL: node-forge's own generator needs seconds for 2048 bits. */
async function newRsaKey(): Promise<forge.pki.rsa.KeyPair> {
  const pair = await promisify(generateKeyPair)("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  return { privateKey: forge.pki.privateKeyFromPem(pair.privateKey), publicKey: forge.pki.publicKeyFromPem(pair.publicKey) };
}

function selfSignedCa(key: forge.pki.rsa.KeyPair): forge.pki.Certificate {
  const certificate = blankCertificate(key.publicKey, CA_NAME);
  certificate.setIssuer(certificate.subject.attributes);
  certificate.setExtensions([
    { name: "basicConstraints", cA: true, critical: true },
    { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    { name: "subjectKeyIdentifier" },
  ]);
  certificate.sign(key.privateKey, forge.md.sha256.create());
  return certificate;
}

interface LeafOptions {
  readonly ca: forge.pki.Certificate;
  readonly caKey: forge.pki.rsa.KeyPair;
  readonly dnsNames: readonly string[];
}

/** Type 2 is a DNS name (RFC 5280, section 4.2.1.6). */
const DNS_NAME = 2;

function signedLeaf(key: forge.pki.rsa.KeyPair, { ca, caKey, dnsNames }: LeafOptions): forge.pki.Certificate {
  const certificate = blankCertificate(key.publicKey, "Key Vault emulator");
  certificate.setIssuer(ca.subject.attributes);
  certificate.setExtensions([
    { name: "basicConstraints", cA: false, critical: true },
    { name: "keyUsage", digitalSignature: true, keyEncipherment: true, critical: true },
    { name: "extKeyUsage", serverAuth: true },
    { name: "subjectAltName", altNames: dnsNames.map((value) => ({ type: DNS_NAME, value })) },
    { name: "subjectKeyIdentifier" },
    { name: "authorityKeyIdentifier", keyIdentifier: ca.generateSubjectKeyIdentifier().getBytes() },
  ]);
  certificate.sign(caKey.privateKey, forge.md.sha256.create());
  return certificate;
}

function blankCertificate(publicKey: forge.pki.rsa.PublicKey, commonName: string): forge.pki.Certificate {
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = publicKey;
  // A leading zero octet would not be minimal DER. The leading 01 keeps the number positive.
  certificate.serialNumber = `01${randomBytes(15).toString("hex")}`;
  certificate.validity.notBefore = new Date(Date.now() - DAY);
  certificate.validity.notAfter = new Date(Date.now() + 30 * DAY);
  certificate.setSubject([{ name: "commonName", value: commonName }]);
  return certificate;
}
