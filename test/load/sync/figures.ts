import type { ApiWrites } from "./audit-meter.ts";

/** Results of one contestant for the same work at one size. Times are in milliseconds, memory in MiB. */
export interface Figures {
  readonly contestant: string;
  /** Number of Secrets, with one object each. */
  readonly size: number;
  readonly first: FirstSync;
  readonly rest: AtRest;
  readonly restart: Restart;
  readonly heal: Waited;
  readonly rotation: Waited & { readonly medianMs: number };
  /** Maximum number of requests to one vault in any 10 seconds. */
  readonly busiest: number;
  readonly throttled: number;
  /** Maximum number of token requests of one identity by one process. */
  readonly tokens: number;
}

/** A wait for a number of Secrets. */
export interface Waited {
  readonly awaited: number;
  readonly arrived: number;
  /** Time until the last Secret arrived. */
  readonly ms: number;
}

export interface FirstSync extends Waited {
  readonly reads: number;
  readonly writes: number;
  readonly cpuSeconds: number;
}

/** Cost of one poll of everything. For a contestant that cannot finish in one interval, the cost of the same number of objects. */
export interface AtRest {
  /** Observed polls. Less than one if the contestant did not finish any. */
  readonly polls: number;
  readonly seconds: number;
  readonly transactions: number;
  readonly tokens: number;
  readonly writes: ApiWrites;
  readonly writesPerPoll: number;
  readonly cpuSeconds: number;
  readonly residentMiB: number;
  readonly peakMiB: number;
  /** Memory of the largest process. */
  readonly largestMiB: number;
}

export interface Restart {
  readonly seconds: number;
  readonly reads: number;
  /** Number of reads from vaults without a due class. Undefined if the contestant does not spread its polls. */
  readonly early: number | undefined;
  readonly writes: number;
  readonly cpuSeconds: number;
}
