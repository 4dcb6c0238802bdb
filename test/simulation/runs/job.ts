import type { WorldName } from "../world/sizes.ts";

/** Messages between the process that requests simulations and the processes that run them. */

/** One seed to simulate. */
export interface Job {
  readonly seed: number;
  readonly hours: number;
  /** Default: `usual`. */
  readonly world?: WorldName | undefined;
  /** Steps of the plan to carry out; all if undefined. */
  readonly only?: readonly number[] | undefined;
  /** Number of the trace block to return as text. */
  readonly keptBlock?: number | undefined;
  /**
   * If the seed fails: the maximum number of tries to find the smallest plan that still fails, and the milliseconds from the start of the
   * job after which no try begins.
   */
  readonly shrink?: { readonly tries: number; readonly within: number } | undefined;
  /** Whether to add real randomness, so that traces differ. Used as a control. */
  readonly isHaunted?: boolean | undefined;
}

/** The result of a job. */
export interface Summary {
  readonly seed: number;
  readonly world: WorldName;
  readonly hours: number;
  readonly faults: number;
  readonly overlapping: number;
  readonly kinds: readonly string[];
  readonly violations: number;
  /** The events before the first violation, in lines for a person to read; empty if there is none. */
  readonly story: string;
  readonly digest: string;
  readonly blocks: readonly string[];
  /** Records of the requested block. */
  readonly lines: readonly string[];
  readonly cpuSeconds: number;
}
