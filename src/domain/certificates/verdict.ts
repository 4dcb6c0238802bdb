/**
 * Result of a policy for a certificate. `renew`: the certificate still works, and there is time to prepare a successor. `replace`: it does
 * not work and must be replaced immediately.
 */
export type Verdict<Reason extends string> = { readonly kind: "valid" } | Violation<Reason>;

export interface Violation<Reason extends string> {
  readonly kind: "renew" | "replace";
  readonly reason: Reason;
  /** One clause without a full stop that states the problem. */
  readonly message: string;
}

/** Unix milliseconds. */
export interface Validity {
  readonly notBefore: number;
  readonly notAfter: number;
}

/** A certificate that can be in the bundle. */
export interface AuthorityCertificate extends Validity {
  readonly pem: string;
  /** SHA-256 of the certificate. It does not depend on the text encoding of the certificate. */
  readonly fingerprint: string;
}

/** Formats a time for people, to the second. Returns a fixed text for an invalid date instead of throwing. */
export function instant(milliseconds: number): string {
  if (!Number.isFinite(milliseconds)) return "an unreadable date";
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}
