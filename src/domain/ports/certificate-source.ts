/** Certificate and private key that a TLS server presents, both PEM. The key goes to the TLS library and nowhere else. */
export interface ServingCertificate {
  readonly cert: string;
  readonly key: string;
}

/** Whose certificates a TLS server asks its clients for, PEM, and when that changes. Never empty. */
export interface ClientAuthorities {
  current(): string;
  /** Called after `current` changed. */
  onChange(listener: () => void): void;
}

/** What a TLS server serves now, and when that changes. */
export interface CertificateSource {
  /** Undefined until the first certificate has been issued. */
  current(): ServingCertificate | undefined;
  /** Called after `current` changed, with nothing in hand: read it again. New connections are to use the new certificate. */
  onChange(listener: () => void): void;
}
