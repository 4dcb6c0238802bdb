import type { CertificateSource, ServingCertificate } from "../domain/ports/certificate-source.ts";
import type { Logger } from "../domain/ports/logger.ts";

/** A source whose certificate can be exchanged while it is served. */
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
          // One server that cannot take the certificate must not keep it from the others, nor end the renewals.
          logger.error("a TLS server refused the new certificate", { error: error instanceof Error ? error.message : "unknown" });
        }
      }
    },
  };
}
