import type { Random } from "../time/random.ts";
import type { World } from "../world/world.ts";

/** Something that goes wrong for a while. */
export interface FaultKind {
  /** As the report has it. */
  readonly name: string;
  /** Milliseconds; how long one lasts is drawn between a tenth of it and all of it. 0: a moment. */
  readonly longestMs: number;
  /** Whether the world has what goes wrong; default: every world has. */
  readonly needs?: (world: World) => boolean;
  /** Begins it; the result ends it. */
  begin(world: World, random: Random): (() => void) | undefined;
}

export const MINUTE = 60_000;
