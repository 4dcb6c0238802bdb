import type { JsonObject } from "../json-object.ts";

/** How far the controller of a workload is with the template as it stands. */
export interface Progress {
  /** All pods are of this template and available. */
  readonly isComplete: boolean;
  /** Pods are still to be replaced. */
  readonly isRolling: boolean;
  /** Of the workload's spec, and whether its controller has seen it: the counts of another one are not compared with these. */
  readonly revision: string;
  readonly counts: PodCounts;
  /** How many pods somebody keeps at an older template, by the partition of a StatefulSet. */
  readonly heldBack: number;
  /** In the words of a message. */
  readonly summary: string;
  /** The controller gave up waiting: `progressDeadlineSeconds` of a Deployment. */
  readonly isPastDeadline: boolean;
  /** In the words of a message, where it did. */
  readonly gaveUp: string;
  /** It waits for people, or for a time that its owner chose. */
  readonly isPaused: boolean;
  /** What the workload itself allows between two steps; milliseconds, 0 where it says nothing, infinite where its controller judges that. */
  readonly ownDeadlineMs: number;
}

/** How many pods there are, of the template as it stands, and how many of all are available. */
export interface PodCounts {
  readonly wanted: number;
  readonly total: number;
  readonly updated: number;
  readonly available: number;
}

export interface Observed {
  readonly generation: number;
  readonly spec: JsonObject;
  readonly status: JsonObject;
}
