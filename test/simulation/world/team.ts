import type { WantedClass } from "./classes.ts";
import type { Application, SimulatedVault } from "./vaults.ts";

/** A namespace, with the vault that its classes read, and the identity with which they read it. */
export interface Team {
  readonly namespace: string;
  readonly vault: SimulatedVault;
  readonly application: Application;
  /** Keys are names. */
  readonly classes: Map<string, WantedClass>;
  /** Classes without Secrets. */
  readonly mounted: Map<string, WantedClass>;
  /** Time at which each class was last written (virtual milliseconds). */
  readonly writtenAt: Map<string, number>;
  /** Names of pods, with the class that each mounts. */
  readonly pods: Map<string, string>;
  /** Time at which the last pod ended, by name of each class that has none now (virtual milliseconds). */
  readonly usedUntil: Map<string, number>;
  readonly mostClasses: number;
}
