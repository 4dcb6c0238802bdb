import type { Cell } from "./cell.ts";
import type { FaultWorld } from "./world.ts";

/** State of a cell's Secrets when the fault strikes. */
export const PHASES = ["first sync", "at rest", "mid-rotation"] as const;

export type Phase = (typeof PHASES)[number];

export type Cells = Readonly<Record<Phase, Cell>>;

/** Cells and logs to which a fault applies. */
export interface Target {
  readonly world: FaultWorld;
  readonly cells: Cells;
  readonly all: readonly Cell[];
  /** Number of entries in the logs before the strike. */
  readonly auditMark: number;
  readonly requestMark: number;
}

/** Text that proves the fault, from a log that is not ours. Undefined if the log does not show it yet. */
export type Evidence = () => Promise<string | undefined> | string | undefined;

export interface Strike {
  readonly evidence: Evidence;
  /** Ends the fault, and restores what it removed. Recovery is measured from here. */
  mend(): Promise<void>;
  /** Further conditions after the recovery: one sentence for each that does not hold. */
  readonly problems?: () => Promise<readonly string[]>;
}

export interface Fault {
  /** Name in the report. */
  readonly name: string;
  /** Most seconds from the end of the fault to the last Secret: the sum of the waits that can occur. */
  readonly bound: number;
  /** Seconds after which all Secrets match the vault if nothing changes any more. Default: two polls and a little. */
  readonly settles?: number;
  /**
   * Whether two processes may believe that they hold the Lease for a moment, because the first one learns of its loss only at its next
   * request.
   */
  readonly deposesUnseen?: boolean;
  strike(target: Target): Promise<Strike>;
}

export interface Lane {
  readonly world: FaultWorld;
  readonly rest: Cell;
  readonly rotating: Cell;
}

export interface PhaseResult {
  readonly phase: Phase;
  /** Undefined if the cell did not recover within the bound. */
  readonly seconds: number | undefined;
  /** Secrets that were lost or written twice. */
  readonly problems: readonly string[];
}

export interface FaultResult {
  readonly fault: string;
  readonly phases: readonly PhaseResult[];
  readonly evidence: string;
  readonly rotations: number;
  /** Number of states that the API server stored. */
  readonly revisions: number;
  /** Number of writes that it answered with 2xx. */
  readonly writes: number;
}
