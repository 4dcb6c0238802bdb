/** Lifetimes in milliseconds, with the reason for each. */
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * The CA's private key lies in a Secret that backups copy: a year bounds what such a copy is worth, and the rotation happens often
 * enough (every eight months) to be an ordinary event.
 */
export const AUTHORITY_LIFETIME = 365 * DAY;

/**
 * A leaf lives in one process's memory. Seven days keep a copied memory image short-lived, and the last third (56 hours) is time to
 * notice that issuing fails before anything breaks: a weekend.
 */
export const LEAF_LIFETIME = 7 * DAY;

/** A certificate is valid from this long before it is issued, so that an API server whose clock is behind accepts it. */
export const BACKDATE = HOUR;

/** Renewal starts when this part of the life is over. */
export const RENEW_AFTER = 2 / 3;

/**
 * How long a retired CA stays in the bundle: the longest life of a leaf that it signed, and a day for a replica that signed one more
 * before it saw the new CA.
 */
export const OVERLAP = LEAF_LIFETIME + DAY;

/**
 * A new CA is in the bundle for this long before a leaf of it is served. API servers learn of a changed bundle by a watch, within
 * a second as a rule; the old leaf has days left, so a minute costs nothing.
 */
export const SETTLING = MINUTE;

/** Retired CAs kept at most. More than one exists only where the Secret was replaced by hand several times within the overlap. */
export const PREVIOUS_AT_MOST = 3;
