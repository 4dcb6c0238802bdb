import { X509Certificate } from "node:crypto";
import type { AuthorityCertificateFacts } from "../domain/certificates/authority-policy.ts";
import type { LeafFacts } from "../domain/certificates/leaf-policy.ts";

/** Returns the first certificate of a PEM text; undefined if there is none. */
export function parseCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    // OpenSSL's reasons differ by version and help no user. The policy names the key of the Secret.
    return undefined;
  }
}

export function authorityFactsOf(certificate: X509Certificate): AuthorityCertificateFacts {
  const isSelfIssued = certificate.subject === certificate.issuer;
  return {
    pem: certificate.toString(),
    fingerprint: certificate.fingerprint256,
    // checkIssued also checks keyUsage, which is only possible if the certificate is its own issuer.
    canCertify: certificate.ca && (!isSelfIssued || certificate.checkIssued(certificate)),
    notBefore: certificate.validFromDate.getTime(),
    notAfter: certificate.validToDate.getTime(),
  };
}

/** `authority` is the fingerprint of the CA that signed the leaf. */
export function leafFactsOf(pem: string, authority: string): LeafFacts {
  const certificate = new X509Certificate(pem);
  return {
    dnsNames: (certificate.subjectAltName ?? "").split(", ").map((name) => name.replace(/^DNS:/, "")),
    authority,
    notBefore: certificate.validFromDate.getTime(),
    notAfter: certificate.validToDate.getTime(),
  };
}

/** The beginning of a block, with its label unless that is cut off. */
const BEGIN = /-----BEGIN (?:([A-Z0-9 ]+)-----)?/g;

export interface WholeBundle {
  /** The certificates and nothing else. */
  readonly pem: string;
  readonly certificates: number;
}

/**
 * Returns the certificates of a bundle; undefined if one of them is damaged or cut off. OpenSSL itself ignores all certificates after a
 * damaged one without an error.
 */
export function wholeBundle(pem: string): WholeBundle | undefined {
  const begun = [...pem.matchAll(BEGIN)].filter(([, label = "CERTIFICATE"]) => label.endsWith("CERTIFICATE"));
  const certificates = parseBundle(pem);
  return begun.length === certificates.length ? { pem: joined(certificates), certificates: certificates.length } : undefined;
}

/** Returns the certificates of a bundle that can be parsed as a PEM text that contains nothing else; undefined if there are none. */
export function readableBundle(pem: string): string | undefined {
  return joined(parseBundle(pem)) || undefined;
}

function joined(certificates: readonly AuthorityCertificateFacts[]): string {
  return certificates.map((certificate) => certificate.pem).join("");
}

const CERTIFICATE_BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Returns every certificate of a bundle that can be parsed, in order. */
export function parseBundle(pem: string): readonly AuthorityCertificateFacts[] {
  return (pem.match(CERTIFICATE_BLOCK) ?? []).flatMap((block) => {
    const certificate = parseCertificate(block);
    return certificate === undefined ? [] : [authorityFactsOf(certificate)];
  });
}
