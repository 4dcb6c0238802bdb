import type { SpawnedEmulator } from "../../tools/key-vault-emulator/spawn.ts";
import type { ControlPlane } from "../support/cluster/control-plane.ts";

/** The shortest interval that the product accepts. */
export const INTERVAL_MS = 10_000;

/** The parts of the world that a victim uses. */
export interface VictimGround {
  readonly plane: ControlPlane;
  readonly emulator: SpawnedEmulator;
  /** Our processes that have ended since the last call. */
  ended(): readonly string[];
}
