import type { ApiWrites } from "./audit-meter.ts";

/** The same work by one contestant at one size; times in milliseconds, memory in MiB. */
export interface Figures {
  readonly contestant: string;
  /** Secrets, one object each. */
  readonly size: number;
  readonly first: FirstSync;
  readonly rest: AtRest;
  readonly restart: Restart;
  readonly heal: Waited;
  readonly rotation: Waited & { readonly medianMs: number };
  /** The most requests of one vault in any 10 seconds. */
  readonly busiest: number;
  readonly throttled: number;
  /** The most token requests of one identity by one process. */
  readonly tokens: number;
}

/** Something that every Secret of a number was awaited for. */
export interface Waited {
  readonly awaited: number;
  readonly arrived: number;
  /** To the last that arrived. */
  readonly ms: number;
}

export interface FirstSync extends Waited {
  readonly reads: number;
  readonly writes: number;
  readonly cpuSeconds: number;
}

/** Of one poll of everything: of a contestant that is not through in an interval, what it takes for as many objects. */
export interface AtRest {
  /** Seen; less than one where it was not through with any. */
  readonly polls: number;
  readonly seconds: number;
  readonly transactions: number;
  readonly tokens: number;
  readonly writes: ApiWrites;
  /** Writes for each poll. */
  readonly writesPerPoll: number;
  readonly cpuSeconds: number;
  readonly residentMiB: number;
  readonly peakMiB: number;
  /** Of the process that had most. */
  readonly largestMiB: number;
}

export interface Restart {
  readonly seconds: number;
  readonly reads: number;
  /** Of vaults none of whose classes was due; undefined where nobody has phases. */
  readonly early: number | undefined;
  readonly writes: number;
  readonly cpuSeconds: number;
}
