import type { World } from "../world/world.ts";

export interface Violation {
  /** Virtual milliseconds. */
  readonly at: number;
  /** Name of the invariant. */
  readonly invariant: string;
  readonly text: string;
}

/** A condition that must hold always, or whenever the world is at rest. */
export interface Invariant {
  readonly name: string;
  /** Begins to listen. It may call `violated` at any time. */
  readonly watch?: (world: World, violated: (text: string) => void) => void;
  /** Called every simulated minute. */
  readonly check?: (world: World) => readonly string[];
  /** Called after a long enough time without faults and without changes by people. */
  readonly atRest?: (world: World) => readonly string[];
}
