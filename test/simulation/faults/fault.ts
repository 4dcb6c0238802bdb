import type { Random } from "../time/random.ts";
import type { World } from "../world/world.ts";

/** A kind of problem that lasts for a while. */
export interface FaultKind {
  /** Name in the report. */
  readonly name: string;
  /** Longest duration in milliseconds. Each fault lasts between a tenth of it and all of it. 0: the fault is momentary. */
  readonly longestMs: number;
  /** Whether the world has the part that fails. Default: every world has it. */
  readonly needs?: (world: World) => boolean;
  /** Begins the fault, and returns the function that ends it. */
  begin(world: World, random: Random): (() => void) | undefined;
}

export const MINUTE = 60_000;
