/**
 * Replaces `src/domain/certificates/lifetimes.ts`: a year lasts minutes, so that a soak sees the CA and leaves rotate as they do in a year.
 */
const SECOND = 1_000;

export const AUTHORITY_LIFETIME = 300 * SECOND;
/** Its last third is longer than the half minute between two certificate checks. */
export const LEAF_LIFETIME = 120 * SECOND;
export const BACKDATE = 5 * SECOND;
export const RENEW_AFTER = 2 / 3;
export const OVERLAP = LEAF_LIFETIME + 20 * SECOND;
export const SETTLING = 3 * SECOND;
export const PREVIOUS_AT_MOST = 3;
