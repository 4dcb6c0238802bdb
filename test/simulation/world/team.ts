import type { WantedClass } from "./classes.ts";
import type { Application, SimulatedVault } from "./vaults.ts";

/** A namespace, the vault that its classes read, and as whom. */
export interface Team {
  readonly namespace: string;
  readonly vault: SimulatedVault;
  readonly application: Application;
  /** By name. */
  readonly classes: Map<string, WantedClass>;
  /** Those that make no Secret. */
  readonly mounted: Map<string, WantedClass>;
  /** When each was written last (virtual milliseconds). */
  readonly writtenAt: Map<string, number>;
  /** Names of pods, with the class that each mounts. */
  readonly pods: Map<string, string>;
  /** When the last pod of a class ended that has none now (virtual milliseconds), by its name. */
  readonly usedUntil: Map<string, number>;
  readonly mostClasses: number;
}
