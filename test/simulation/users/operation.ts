import type { Random } from "../time/random.ts";
import type { World } from "../world/world.ts";

/** A kind of action by people. `act` returns a line that describes the action; undefined if there was nothing to act on. */
export interface OperationKind {
  readonly name: string;
  readonly weight: number;
  act(world: World, random: Random): string | undefined;
}
