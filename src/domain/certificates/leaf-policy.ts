import { RENEW_AFTER, SETTLING } from "./lifetimes.ts";
import { instant, type Validity, type Verdict, type Violation } from "./verdict.ts";

/** The certificate that this replica serves. */
export interface LeafFacts extends Validity {
  readonly dnsNames: readonly string[];
  /** Fingerprint of the CA that signed it. */
  readonly authority: string;
}

export interface WantedLeaf {
  readonly dnsNames: readonly string[];
  /** Fingerprint of the current CA. */
  readonly authority: string;
  /** Unix milliseconds of the wall clock, which may have jumped since the leaf was issued. */
  readonly now: number;
}

export type LeafReason = "NotIssued" | "NameMissing" | "NotYetValid" | "Expired" | "OtherAuthority" | "NearExpiry";

type Check = (leaf: LeafFacts, wanted: WantedLeaf) => Violation<LeafReason> | undefined;

const nameIsMissing: Check = (leaf, wanted) => {
  const missing = wanted.dnsNames.find((name) => !leaf.dnsNames.includes(name));
  return missing === undefined
    ? undefined
    : { kind: "replace", reason: "NameMissing", message: `the certificate does not name ${missing}` };
};

/** The clock was set back after the leaf was issued. API servers with the right time refuse such a certificate. */
const isNotYetValid: Check = ({ notBefore }, { now }) =>
  now >= notBefore
    ? undefined
    : { kind: "replace", reason: "NotYetValid", message: `the certificate is not valid before ${instant(notBefore)}` };

const isExpired: Check = ({ notAfter }, { now }) =>
  now < notAfter ? undefined : { kind: "replace", reason: "Expired", message: `the certificate expired at ${instant(notAfter)}` };

const authorityIsAnother: Check = (leaf, wanted) =>
  leaf.authority === wanted.authority
    ? undefined
    : { kind: "renew", reason: "OtherAuthority", message: "the certificate was signed by a CA that is no longer the current one" };

const expiryIsNear: Check = ({ notBefore, notAfter }, { now }) =>
  now < notBefore + (notAfter - notBefore) * RENEW_AFTER
    ? undefined
    : { kind: "renew", reason: "NearExpiry", message: `the certificate expires at ${instant(notAfter)}` };

/** Checks for unusable certificates come before checks for certificates that only need renewal. */
const checks: readonly Check[] = [nameIsMissing, isNotYetValid, isExpired, authorityIsAnother, expiryIsNear];

export function leafVerdict(leaf: LeafFacts | undefined, wanted: WantedLeaf): Verdict<LeafReason> {
  if (leaf === undefined) return { kind: "replace", reason: "NotIssued", message: "no certificate has been issued yet" };
  for (const check of checks) {
    const violation = check(leaf, wanted);
    if (violation) return violation;
  }
  return { kind: "valid" };
}

export type LeafStep =
  | { readonly kind: "keep" }
  | { readonly kind: "issue"; readonly reason: LeafReason; readonly message: string }
  /** Check again after this many milliseconds, or when the bundle changes. */
  | { readonly kind: "wait"; readonly milliseconds: number };

/**
 * Returns the next step. The replica serves a leaf of a new CA only after that CA has been in the bundle for {@link SETTLING}. Until then,
 * it serves the old leaf if the CA of the old leaf is still in the bundle. `publishedSince` maps each fingerprint in the live bundle to the
 * time in Unix milliseconds when this replica first saw it there.
 */
export function leafStep(leaf: LeafFacts | undefined, wanted: WantedLeaf, publishedSince: ReadonlyMap<string, number>): LeafStep {
  const verdict = leafVerdict(leaf, wanted);
  if (verdict.kind === "valid") return { kind: "keep" };
  const issue: LeafStep = { kind: "issue", reason: verdict.reason, message: verdict.message };
  if (verdict.reason !== "OtherAuthority" || leaf === undefined || !publishedSince.has(leaf.authority)) return issue;
  const since = publishedSince.get(wanted.authority);
  if (since === undefined) return { kind: "wait", milliseconds: SETTLING };
  // If the clock was set back, the remaining time would be too long. A clock jump therefore counts as elapsed time.
  const elapsed = Math.abs(wanted.now - since);
  return elapsed >= SETTLING ? issue : { kind: "wait", milliseconds: SETTLING - elapsed };
}
