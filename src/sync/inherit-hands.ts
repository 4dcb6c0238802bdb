import { LEASE_ANNOTATIONS } from "../domain/annotations.ts";
import type { Quarantine } from "./quarantine.ts";

type Annotations = Readonly<Record<string, string>>;

interface Election {
  /** Writes this leader's annotations at once. Returns whether that succeeded. */
  renewNow(): Promise<boolean>;
  /** Changes the annotations of Leases that no shard uses any more; null removes an annotation. */
  clearFormer(change: (annotations: Annotations) => Readonly<Record<string, string | null>>, signal: AbortSignal): Promise<void>;
}

/** Annotations of the Leases when this leader began. */
interface Left {
  /** Of its own Lease. */
  readonly annotations: Annotations;
  /** Of all other Leases. */
  readonly others: readonly Annotations[];
  /** Those of the others that no shard uses any more. */
  readonly former: readonly Annotations[];
}

export interface InheritHands {
  readonly election: Election;
  readonly quarantine: Quarantine;
  readonly term: Left;
  /** Whether this leader serves the class. */
  readonly isOurs: (classKey: string) => boolean;
}

/**
 * Takes over as a new leader the classes that earlier leaders had in hand. No leader writes the Lease of a shard that no longer exists, so
 * each further leader would count its classes again. Once this leader's own Lease has them, this removes them there.
 */
export async function inheritHands({ election, quarantine, term, isOurs }: InheritHands, signal: AbortSignal): Promise<void> {
  quarantine.begin([term.annotations, ...term.others], isOurs);
  if (!term.former.some((annotations) => annotations[LEASE_ANNOTATIONS.inHand] !== undefined)) return;
  if (await election.renewNow()) await election.clearFormer((annotations) => quarantine.withoutOurs(annotations, isOurs), signal);
}
