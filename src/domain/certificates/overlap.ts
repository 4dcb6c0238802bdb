import { OVERLAP, PREVIOUS_AT_MOST } from "./lifetimes.ts";
import type { AuthorityCertificate } from "./verdict.ts";

/** Retired CAs that stay trusted, newest first, until a moment in Unix milliseconds. */
export interface Previous {
  readonly certificates: readonly AuthorityCertificate[];
  /** Undefined: the Secret does not say. They then stay until each expires, because dropping one too early is an outage. */
  readonly until: number | undefined;
}

export const NO_PREVIOUS: Previous = { certificates: [], until: undefined };

/** The retired CAs that are still to be trusted. */
export function stillTrusted(previous: Previous, now: number): readonly AuthorityCertificate[] {
  if (previous.until !== undefined && now >= previous.until) return [];
  return previous.certificates.filter((certificate) => now < certificate.notAfter);
}

/** The bundle: the current CA first, then what is retired but still trusted. */
export function trustedAuthorities(current: AuthorityCertificate, previous: Previous, now: number): readonly AuthorityCertificate[] {
  return [current, ...stillTrusted(previous, now).filter(({ fingerprint }) => fingerprint !== current.fingerprint)];
}

/**
 * What to keep as previous next to `current`, given the candidates newest first: each once, none that has expired, and no more than
 * {@link PREVIOUS_AT_MOST}. The overlap starts anew, since a leaf of the newest one may have been signed just now.
 */
export function retire(candidates: readonly AuthorityCertificate[], current: AuthorityCertificate, now: number): Previous {
  const seen = new Set([current.fingerprint]);
  const certificates = candidates.filter(({ fingerprint, notAfter }) => {
    if (seen.has(fingerprint) || now >= notAfter) return false;
    seen.add(fingerprint);
    return true;
  });
  if (certificates.length === 0) return NO_PREVIOUS;
  return { certificates: certificates.slice(0, PREVIOUS_AT_MOST), until: now + OVERLAP };
}

/**
 * True where this replica still serves a leaf of a CA that the Secret no longer vouches for: the Secret was deleted or rewritten
 * behind our back. Publishing the Secret as it is would break the leaf before its successor is trusted.
 */
export function isOverlapLost(serving: AuthorityCertificate | undefined, trusted: readonly AuthorityCertificate[], now: number): boolean {
  if (serving === undefined || now >= serving.notAfter) return false;
  return !trusted.some(({ fingerprint }) => fingerprint === serving.fingerprint);
}
