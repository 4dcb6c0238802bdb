import type { World } from "../world/world.ts";

export interface Violation {
  /** Virtual milliseconds. */
  readonly at: number;
  /** Of the list of invariants. */
  readonly invariant: string;
  readonly text: string;
}

/** Something that must always hold, or whenever all is quiet. */
export interface Invariant {
  readonly name: string;
  /** Begins to listen; `violated` may be called at any time. */
  readonly watch?: (world: World, violated: (text: string) => void) => void;
  /** Asked every simulated minute. */
  readonly check?: (world: World) => readonly string[];
  /** Asked when nothing has been wrong, and nobody has done anything, for long enough. */
  readonly atRest?: (world: World) => readonly string[];
}
