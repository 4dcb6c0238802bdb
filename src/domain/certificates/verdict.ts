/**
 * What a policy says of a certificate. `renew`: it still serves, a successor may be prepared in good order. `replace`: it does not
 * serve, and waiting only makes it worse.
 */
export type Verdict<Reason extends string> = { readonly kind: "valid" } | Violation<Reason>;

export interface Violation<Reason extends string> {
  readonly kind: "renew" | "replace";
  readonly reason: Reason;
  /** One clause without a full stop: what is wrong. */
  readonly message: string;
}

/** Unix milliseconds. */
export interface Validity {
  readonly notBefore: number;
  readonly notAfter: number;
}

/** A certificate that may stand in the bundle. */
export interface AuthorityCertificate extends Validity {
  readonly pem: string;
  /** SHA-256 of the certificate, the same for the same certificate however it was written down. */
  readonly fingerprint: string;
}

/** For a text that people read: seconds are enough. A date that no calendar has is named, not thrown at. */
export function instant(milliseconds: number): string {
  if (!Number.isFinite(milliseconds)) return "an unreadable date";
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}
