import type { JsonObject } from "../json-object.ts";

/** Progress of a workload's controller with the current template. */
export interface Progress {
  /** Whether all pods have this template and are available. */
  readonly isComplete: boolean;
  /** Whether pods still have to be replaced. */
  readonly isRolling: boolean;
  /** Revision of the workload's spec, and whether its controller has seen it. The counts of different revisions cannot be compared. */
  readonly revision: string;
  readonly counts: PodCounts;
  /** Number of pods that the partition of a StatefulSet keeps at an older template. */
  readonly heldBack: number;
  /** Text for messages. */
  readonly summary: string;
  /** Whether the controller gave up waiting, such as after `progressDeadlineSeconds` of a Deployment. */
  readonly isPastDeadline: boolean;
  /** Text for messages in that case. */
  readonly gaveUp: string;
  /** Whether it waits for a user, or for a time that its owner chose. */
  readonly isPaused: boolean;
  /**
   * Time that the workload itself allows between two steps, in milliseconds; 0 if it has no such setting, infinite if its controller judges
   * that.
   */
  readonly ownDeadlineMs: number;
}

/** Number of pods, number with the current template, and number of available ones. */
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
