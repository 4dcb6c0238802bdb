/** Lifetimes in milliseconds, with the reason for each. */
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * Backups copy the Secret with the CA's private key. A lifetime of one year limits the value of such a copy. Rotation (every eight months)
 * is frequent enough to be routine.
 */
export const AUTHORITY_LIFETIME = 365 * DAY;

/**
 * A leaf exists only in the memory of one process. With seven days, a copied memory image is soon worthless. The last third (56 hours) is
 * longer than a weekend, so that someone notices that issuing fails before anything breaks.
 */
export const LEAF_LIFETIME = 7 * DAY;

/** A certificate is valid from this long before its issue, so that an API server whose clock is behind accepts it. */
export const BACKDATE = HOUR;

/** Renewal starts after this fraction of the lifetime. */
export const RENEW_AFTER = 2 / 3;

/**
 * Time that a retired CA stays in the bundle: the longest lifetime of a leaf that it signed, and one day for a replica that signed another
 * leaf before it saw the new CA.
 */
export const OVERLAP = LEAF_LIFETIME + DAY;

/**
 * Time that a new CA is in the bundle before a replica serves a leaf of it. API servers learn of a changed bundle by a watch, usually
 * within a second. The old leaf is valid for days, so a minute costs nothing.
 */
export const SETTLING = MINUTE;

/** Maximum number of retired CAs. More than one exists only if users replaced the Secret manually several times within the overlap. */
export const PREVIOUS_AT_MOST = 3;
