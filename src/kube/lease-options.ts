import type { Clock } from "../domain/ports/clock.ts";
import type { Logger } from "../domain/ports/logger.ts";
import type { LeaseAnnotations } from "./lease-record.ts";

export interface LeaderElectionOptions {
  readonly leases: Leases;
  /** Unique among all processes that ever ran: the pod's name with a random part. */
  readonly identity: string;
  readonly fieldManager: string;
  readonly clock: LeaseClock;
  readonly logger: Logger;
  /** Returns the annotations for the next leader. Called at each renewal and at the release. Annotations that it omits stay unchanged. */
  readonly annotations?: () => LeaseAnnotations;
  /**
   * Whether any worker has led before. Called if the lease never had a holder. Deleting a lease does not end its holder, so a candidate
   * takes a new lease at once only if there can be no holder. Default: no worker has led.
   */
  readonly hasLed?: (signal: AbortSignal) => Promise<boolean>;
  /** Default: the times of client-go. */
  readonly timing?: LeaseTiming | undefined;
}

/** The Leases that candidates compete for. */
interface Leases {
  readonly namespace: string;
  /** Name of the first shard's Lease. The names of the others end with a number. */
  readonly name: string;
  /** Number of leaders, each with a Lease of its own. A candidate takes any one that is free. Default: 1. */
  readonly shards?: number;
  /**
   * Keys of annotations that are valid only while the number of shards is the same. A candidate removes them from a Lease whose last holder
   * had another number.
   */
  readonly ofOneNumber?: readonly string[];
}

/** `elapsed` returns milliseconds and includes time in which the machine slept. Without it, `now` is used. */
interface LeaseClock extends Clock {
  elapsed?(): number;
}

/** Times in milliseconds. */
export interface LeaseTiming {
  readonly leaseMs: number;
  readonly renewDeadlineMs: number;
  readonly retryMs: number;
}
