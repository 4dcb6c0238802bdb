import { generateKeyPairSync } from "node:crypto";
import forge from "node-forge";
import type { CertificateSource, ServingCertificate } from "../../src/domain/ports/certificate-source.ts";

/** A self-signed certificate for these host names, its own authority. `commonName` tells two of them apart. */
export function selfSignedCertificate(commonName = "localhost", names: readonly string[] = ["localhost"]): ServingCertificate {
  const pair = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(pair.publicKey);
  certificate.serialNumber = "01";
  certificate.validity.notBefore = new Date(Date.now() - 60_000);
  certificate.validity.notAfter = new Date(Date.now() + 3_600_000);
  const name = [{ name: "commonName", value: commonName }];
  certificate.setSubject(name);
  certificate.setIssuer(name);
  certificate.setExtensions([
    { name: "basicConstraints", cA: true },
    { name: "subjectAltName", altNames: names.map((value) => ({ type: 2, value })) },
  ]);
  certificate.sign(forge.pki.privateKeyFromPem(pair.privateKey), forge.md.sha256.create());
  return { cert: forge.pki.certificateToPem(certificate), key: pair.privateKey };
}

/** A source whose certificate the test swaps. */
export function swappableCertificate(first: ServingCertificate | undefined): CertificateSource & { swap(next: ServingCertificate): void } {
  let current = first;
  const listeners: (() => void)[] = [];
  return {
    current: () => current,
    onChange: (listener) => void listeners.push(listener),
    swap: (next) => {
      current = next;
      for (const listener of listeners) listener();
    },
  };
}
