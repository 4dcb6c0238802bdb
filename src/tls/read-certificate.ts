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

const CERTIFICATE_BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Returns every certificate of a bundle that can be parsed, in order. */
export function parseBundle(pem: string): readonly AuthorityCertificateFacts[] {
  return (pem.match(CERTIFICATE_BLOCK) ?? []).flatMap((block) => {
    const certificate = parseCertificate(block);
    return certificate === undefined ? [] : [authorityFactsOf(certificate)];
  });
}
