import type { Random } from "../time/random.ts";
import type { World } from "../world/world.ts";

/** Something that people do. It says in a line what it did; undefined: there was nothing to do it on. */
export interface OperationKind {
  readonly name: string;
  readonly weight: number;
  act(world: World, random: Random): string | undefined;
}
