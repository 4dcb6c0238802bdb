import { X509Certificate } from "node:crypto";
import type { AuthorityCertificateFacts } from "../domain/certificates/authority-policy.ts";
import type { LeafFacts } from "../domain/certificates/leaf-policy.ts";

/** The first certificate of a PEM text; undefined where there is none. */
export function parseCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    // OpenSSL's reasons differ by version and help nobody; the policy says which key of the Secret it is.
    return undefined;
  }
}

export function authorityFactsOf(certificate: X509Certificate): AuthorityCertificateFacts {
  const isSelfIssued = certificate.subject === certificate.issuer;
  return {
    pem: certificate.toString(),
    fingerprint: certificate.fingerprint256,
    // checkIssued looks at keyUsage too, which is only possible where the certificate is its own issuer.
    canCertify: certificate.ca && (!isSelfIssued || certificate.checkIssued(certificate)),
    notBefore: certificate.validFromDate.getTime(),
    notAfter: certificate.validToDate.getTime(),
  };
}

/** `authority`: fingerprint of the CA that signed it. */
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

/** Every certificate of a bundle that can be parsed, in order. */
export function parseBundle(pem: string): readonly AuthorityCertificateFacts[] {
  return (pem.match(CERTIFICATE_BLOCK) ?? []).flatMap((block) => {
    const certificate = parseCertificate(block);
    return certificate === undefined ? [] : [authorityFactsOf(certificate)];
  });
}
