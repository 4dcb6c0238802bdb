import { OVERLAP, PREVIOUS_AT_MOST } from "./lifetimes.ts";
import type { AuthorityCertificate } from "./verdict.ts";

/** Retired CAs that stay trusted until a time in Unix milliseconds, newest first. */
export interface Previous {
  readonly certificates: readonly AuthorityCertificate[];
  /** Undefined if the Secret does not state it. Then each CA stays until it expires, because to drop one too early causes an outage. */
  readonly until: number | undefined;
}

export const NO_PREVIOUS: Previous = { certificates: [], until: undefined };

/** Returns the retired CAs that must still be trusted. */
export function stillTrusted(previous: Previous, now: number): readonly AuthorityCertificate[] {
  if (previous.until !== undefined && now >= previous.until) return [];
  return previous.certificates.filter((certificate) => now < certificate.notAfter);
}

/** Returns the bundle: the current CA first, then the retired CAs that are still trusted. */
export function trustedAuthorities(current: AuthorityCertificate, previous: Previous, now: number): readonly AuthorityCertificate[] {
  return [current, ...stillTrusted(previous, now).filter(({ fingerprint }) => fingerprint !== current.fingerprint)];
}

/**
 * Returns the CAs to keep as previous next to `current`. Keeps each candidate (newest first) once, omits expired ones, and keeps at most
 * {@link PREVIOUS_AT_MOST}. The overlap restarts, because the newest candidate may have signed a leaf just now.
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
 * True if this replica still serves a leaf of a CA that the Secret no longer contains, because a user deleted or rewrote the Secret. If the
 * replica published the Secret as it is, the served leaf would break before its successor is trusted.
 */
export function isOverlapLost(serving: AuthorityCertificate | undefined, trusted: readonly AuthorityCertificate[], now: number): boolean {
  if (serving === undefined || now >= serving.notAfter) return false;
  return !trusted.some(({ fingerprint }) => fingerprint === serving.fingerprint);
}
