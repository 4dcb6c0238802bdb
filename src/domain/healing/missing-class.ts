/** What is known of a class that the API server says does not exist. */
export interface MissingClassFacts {
  /** Uid of the CRD that the snapshot's class lived under; undefined where there is no trustworthy snapshot. */
  readonly snapshotCrdUid: string | undefined;
  /** The live CRD, read **after** the class was found absent. Undefined while it is not whole. */
  readonly wholeCrdUid: string | undefined;
}

export type MissingClassVerdict =
  /** Its owner deleted it: remove what we made of it. */
  | { readonly kind: "deleted" }
  /** It went with its CRD: bring it back. */
  | { readonly kind: "lost" }
  /** Nothing may be concluded while the CRD is away or damaged. */
  | { readonly kind: "frozen" }
  /** Nothing is known of it. What it made stays, because nobody can say whether it was meant to go. */
  | { readonly kind: "unknown" };

/**
 * The CRD's uid decides, not the order of events: the class watch and the CRD watch are separate streams, and with a
 * re-create straight after a deletion the new CRD is seen before the old classes' deletions.
 */
export function missingClassVerdict({ snapshotCrdUid, wholeCrdUid }: MissingClassFacts): MissingClassVerdict {
  if (wholeCrdUid === undefined) return { kind: "frozen" };
  if (snapshotCrdUid === undefined) return { kind: "unknown" };
  return snapshotCrdUid === wholeCrdUid ? { kind: "deleted" } : { kind: "lost" };
}
