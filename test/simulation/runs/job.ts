import type { WorldName } from "../world/sizes.ts";

/** What passes between the process that asks for simulations and those that run them. */

/** One seed to be lived through. */
export interface Job {
  readonly seed: number;
  readonly hours: number;
  /** Default: `usual`. */
  readonly world?: WorldName | undefined;
  /** Steps of the plan that are carried out; all where not given. */
  readonly only?: readonly number[] | undefined;
  /** Block of the trace that is wanted as text. */
  readonly keptBlock?: number | undefined;
  /** Where it fails: most tries to find the least that still does, and the moment (Unix milliseconds) after which none is begun. */
  readonly shrink?: { readonly tries: number; readonly before: number } | undefined;
  /** A plant that breaks what makes traces repeat, for the control. */
  readonly isHaunted?: boolean | undefined;
}

/** What became of it. */
export interface Summary {
  readonly seed: number;
  readonly world: WorldName;
  readonly hours: number;
  readonly faults: number;
  readonly overlapping: number;
  readonly kinds: readonly string[];
  readonly violations: number;
  /** What led to the first violation, in lines that a person can read; empty where there is none. */
  readonly story: string;
  readonly digest: string;
  readonly blocks: readonly string[];
  /** Of the block that was wanted. */
  readonly lines: readonly string[];
  readonly cpuSeconds: number;
}
