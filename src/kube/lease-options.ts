import type { Clock } from "../domain/ports/clock.ts";
import type { Logger } from "../domain/ports/logger.ts";
import type { LeaseAnnotations } from "./lease-record.ts";

export interface LeaderElectionOptions {
  readonly leases: Leases;
  /** Different for every process that ever ran: the pod's name with a random part. */
  readonly identity: string;
  readonly fieldManager: string;
  readonly clock: LeaseClock;
  readonly logger: Logger;
  /** Asked at each renewal, and at the release: what the next leader is to know. What it leaves out stays as it is. */
  readonly annotations?: () => LeaseAnnotations;
  /**
   * Whether anybody has led before: asked where nobody has ever held the lease. Who deletes a lease does not end its holder, so that a lease that is
   * new is taken at once only where there can be none. Default: nobody has.
   */
  readonly hasLed?: (signal: AbortSignal) => Promise<boolean>;
  /** Default: client-go's. */
  readonly timing?: LeaseTiming | undefined;
}

/** What is to be led. */
interface Leases {
  readonly namespace: string;
  /** Of the first shard's Lease; those of the others have a number behind it. */
  readonly name: string;
  /** How many leaders there are, each with a Lease of its own. A candidate takes one of them, whichever is free. Default: 1. */
  readonly shards?: number;
  /** Keys of annotations that say something only while the number of shards is the same: of a Lease that was last held with another one they are taken away. */
  readonly ofOneNumber?: readonly string[];
}

/** `elapsed`: milliseconds that count a sleep of the machine, too; `now` where it is not given. */
interface LeaseClock extends Clock {
  elapsed?(): number;
}

/** Milliseconds. */
export interface LeaseTiming {
  readonly leaseMs: number;
  readonly renewDeadlineMs: number;
  readonly retryMs: number;
}
