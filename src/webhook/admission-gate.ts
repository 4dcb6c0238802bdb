/**
 * Reviews that are decided at the same time. One takes about a millisecond of CPU, so that the last of two hundred waits a
 * fifth of a second: far below the API server's timeout of five. With more of them, answers would come too late to count.
 */
const MOST_REVIEWS = 200;

/** Bodies held at the same time: parsed, they take several times that, and the container's limit is 256 MiB. */
const MOST_BYTES = 24 * 1024 * 1024;

/** A body whose length is not told may be as long as any that is read. */
const UNKNOWN_LENGTH = 7 * 1024 * 1024;

/** Bounds what is worked on at once. */
export interface AdmissionGate {
  /** Call the returned function when the review has been answered. Undefined: no room, refuse at once. */
  enter(contentLength: number | undefined): (() => void) | undefined;
}

export interface GateLimits {
  readonly reviews: number;
  readonly bytes: number;
}

export function createAdmissionGate({ reviews, bytes }: GateLimits = { reviews: MOST_REVIEWS, bytes: MOST_BYTES }): AdmissionGate {
  let inside = 0;
  let held = 0;
  return {
    enter: (contentLength = UNKNOWN_LENGTH) => {
      // One alone is let in whatever its size: its own limit is checked where it is read.
      if (inside >= reviews || (inside > 0 && held + contentLength > bytes)) return undefined;
      inside += 1;
      held += contentLength;
      return () => {
        inside -= 1;
        held -= contentLength;
      };
    },
  };
}
