import type { SpawnedEmulator } from "../../tools/key-vault-emulator/spawn.ts";
import type { ControlPlane } from "../support/cluster/control-plane.ts";

/** The shortest that the product takes. */
export const INTERVAL_MS = 10_000;

/** What a victim stands on. */
export interface VictimGround {
  readonly plane: ControlPlane;
  readonly emulator: SpawnedEmulator;
  /** Which of our processes have ended since the last call. */
  ended(): readonly string[];
}
