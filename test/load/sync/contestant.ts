import type { ControlPlane } from "../../support/cluster/control-plane.ts";
import type { Launched } from "../launch.ts";
import type { BenchObject, BenchVault } from "./vaults.ts";

export interface Wish {
  /** Of the collection. */
  readonly path: string;
  readonly body: unknown;
}

export interface StartOptions {
  /** Of the process: where the vaults are. */
  readonly environment: Readonly<Record<string, string>>;
  /** Whole seconds between two looks at an object. */
  readonly intervalSeconds: number;
  /** Besides the contestant's own. */
  readonly flags?: readonly string[];
}

/** Something that keeps one Secret for each object of the vaults. */
export interface SyncContestant {
  readonly name: string;
  /** Whose requests the API server's log counts. */
  readonly user: string;
  /** Its kinds and rights. */
  install(plane: ControlPlane): Promise<void>;
  /** What a user creates to have the objects mirrored, in the order in which it is created. */
  wishes(objects: readonly BenchObject[], vaults: readonly BenchVault[], intervalSeconds: number): readonly Wish[];
  start(plane: ControlPlane, options: StartOptions): Promise<Launched>;
}
