import type { CertificateSource, ServingCertificate } from "../domain/ports/certificate-source.ts";
import type { Logger } from "../domain/ports/logger.ts";

/** A source whose certificate can be replaced while it is served. */
export interface HotSource extends CertificateSource {
  swap(certificate: ServingCertificate): void;
}

export function createHotSource(logger: Logger): HotSource {
  let current: ServingCertificate | undefined;
  const listeners: (() => void)[] = [];
  return {
    current: () => current,
    onChange: (listener) => {
      listeners.push(listener);
    },
    swap: (certificate) => {
      current = certificate;
      for (const listener of listeners) {
        try {
          listener();
        } catch (error) {
          // If one server cannot use the certificate, the others must still get it, and renewals must continue.
          logger.error("a TLS server refused the new certificate", { error: error instanceof Error ? error.message : "unknown" });
        }
      }
    },
  };
}
