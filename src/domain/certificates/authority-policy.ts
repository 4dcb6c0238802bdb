import { RENEW_AFTER } from "./lifetimes.ts";
import { AUTHORITY_KEYS } from "./names.ts";
import { type AuthorityCertificate, instant, type Verdict, type Violation } from "./verdict.ts";

/** Content of the CA Secret, as far as it could be read. Never contains the key itself. */
export interface AuthorityFacts {
  readonly certificate: "missing" | "unparsable" | AuthorityCertificateFacts;
  readonly key: "missing" | "unparsable" | AuthorityKeyFacts;
}

export interface AuthorityCertificateFacts extends AuthorityCertificate {
  /** Whether its own extensions allow it to sign certificates. */
  readonly canCertify: boolean;
}

export interface AuthorityKeyFacts {
  /** `rsa`, `ec`, … */
  readonly type: string;
  /** Modulus length; undefined for keys without a modulus. */
  readonly bits: number | undefined;
  /** Whether the certificate in `ca.crt` certifies this key. */
  readonly isCertified: boolean;
}

export type AuthorityReason =
  | "SecretMissing"
  | "ContentMissing"
  | "CertificateMissing"
  | "KeyMissing"
  | "CertificateUnparsable"
  | "KeyUnparsable"
  | "NotAnAuthority"
  | "KeyUnsupported"
  | "KeyMismatch"
  | "NotYetValid"
  | "Expired"
  | "NearExpiry";

/** TLS libraries at their default security level refuse shorter keys. */
const LEAST_BITS = 2048;

const { certificate: CRT, privateKey: KEY } = AUTHORITY_KEYS;

type Check = (facts: AuthorityFacts, now: number) => Violation<AuthorityReason> | undefined;

const replace = (reason: AuthorityReason, message: string): Violation<AuthorityReason> => ({ kind: "replace", reason, message });

const contentIsMissing: Check = ({ certificate, key }) =>
  certificate === "missing" && key === "missing" ? replace("ContentMissing", `it has neither ${CRT} nor ${KEY}`) : undefined;

const certificateIsMissing: Check = ({ certificate }) =>
  certificate === "missing" ? replace("CertificateMissing", `it has ${KEY} but no ${CRT}`) : undefined;

const keyIsMissing: Check = ({ key }) => (key === "missing" ? replace("KeyMissing", `it has ${CRT} but no ${KEY}`) : undefined);

const certificateIsUnparsable: Check = ({ certificate }) =>
  certificate === "unparsable" ? replace("CertificateUnparsable", `${CRT} does not begin with a certificate in PEM`) : undefined;

const keyIsUnparsable: Check = ({ key }) =>
  key === "unparsable" ? replace("KeyUnparsable", `${KEY} is not an unencrypted private key in PEM`) : undefined;

const certificateIsNoAuthority: Check = ({ certificate }) =>
  typeof certificate === "string" || certificate.canCertify
    ? undefined
    : replace("NotAnAuthority", `the certificate in ${CRT} cannot sign others, because its basicConstraints or keyUsage do not allow it`);

const keyIsUnsupported: Check = ({ key }) =>
  typeof key === "string" || (key.type === "rsa" && (key.bits ?? 0) >= LEAST_BITS)
    ? undefined
    : replace("KeyUnsupported", `${KEY} is not an RSA key of at least ${LEAST_BITS} bits`);

const keyDoesNotMatch: Check = ({ key }) =>
  typeof key === "string" || key.isCertified
    ? undefined
    : replace("KeyMismatch", `${KEY} is not the key of the first certificate in ${CRT}`);

/** The creator's clock was ahead by more than the backdating of certificates. API servers refuse the certificate until its `notBefore`. */
const isNotYetValid: Check = ({ certificate }, now) =>
  typeof certificate === "string" || now >= certificate.notBefore
    ? undefined
    : replace("NotYetValid", `the certificate in ${CRT} is not valid before ${instant(certificate.notBefore)}`);

const isExpired: Check = ({ certificate }, now) =>
  typeof certificate === "string" || now < certificate.notAfter
    ? undefined
    : replace("Expired", `the certificate in ${CRT} expired at ${instant(certificate.notAfter)}`);

const expiryIsNear: Check = ({ certificate }, now) => {
  if (typeof certificate === "string") return undefined;
  const { notBefore, notAfter } = certificate;
  if (now < notBefore + (notAfter - notBefore) * RENEW_AFTER) return undefined;
  return { kind: "renew", reason: "NearExpiry", message: `the certificate in ${CRT} expires at ${instant(notAfter)}` };
};

/** The order matters: a later check relies on the results of earlier ones. */
const checks: readonly Check[] = [
  contentIsMissing,
  certificateIsMissing,
  keyIsMissing,
  certificateIsUnparsable,
  keyIsUnparsable,
  certificateIsNoAuthority,
  keyIsUnsupported,
  keyDoesNotMatch,
  isNotYetValid,
  isExpired,
  expiryIsNear,
];

/** Returns the first violation. `facts` is undefined if the Secret does not exist. */
export function authorityVerdict(facts: AuthorityFacts | undefined, now: number): Verdict<AuthorityReason> {
  if (facts === undefined) return replace("SecretMissing", "the Secret does not exist");
  for (const check of checks) {
    const violation = check(facts, now);
    if (violation) return violation;
  }
  return { kind: "valid" };
}
