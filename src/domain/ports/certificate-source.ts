/** Certificate and private key that a TLS server presents, both PEM. Only the TLS library receives the key. */
export interface ServingCertificate {
  readonly cert: string;
  readonly key: string;
}

/** Authorities, in PEM, whose client certificates a TLS server accepts, with notice of changes. Never empty. */
export interface ClientAuthorities {
  current(): string;
  /** The listener is called after `current` changed. */
  onChange(listener: () => void): void;
}

/** The certificate that a TLS server presents now, with notice of changes. */
export interface CertificateSource {
  /** Undefined until the first certificate has been issued. */
  current(): ServingCertificate | undefined;
  /** The listener is called without arguments after `current` changed: it reads the certificate again and uses it for new connections. */
  onChange(listener: () => void): void;
}
