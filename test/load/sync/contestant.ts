import type { ControlPlane } from "../../support/cluster/control-plane.ts";
import type { Launched } from "../launch.ts";
import type { BenchObject, BenchVault } from "./vaults.ts";

export interface Wish {
  /** Path of the collection. */
  readonly path: string;
  readonly body: unknown;
}

export interface StartOptions {
  /** Environment of the process, which contains the addresses of the vaults. */
  readonly environment: Readonly<Record<string, string>>;
  /** Whole seconds between two checks of an object. */
  readonly intervalSeconds: number;
  /** Flags in addition to the contestant's own. */
  readonly flags?: readonly string[];
}

/** A product that keeps one Secret for each object of the vaults. */
export interface SyncContestant {
  readonly name: string;
  /** User whose requests are counted in the API server's log. */
  readonly user: string;
  /** Installs its kinds and rights. */
  install(plane: ControlPlane): Promise<void>;
  /** Returns the objects that a user creates to have the vault objects synced, in the order of creation. */
  wishes(objects: readonly BenchObject[], vaults: readonly BenchVault[], intervalSeconds: number): readonly Wish[];
  start(plane: ControlPlane, options: StartOptions): Promise<Launched>;
}
