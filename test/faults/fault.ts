import type { Cell } from "./cell.ts";
import type { FaultWorld } from "./world.ts";

/** In what state of its Secrets a cell is when the fault strikes. */
export const PHASES = ["first sync", "at rest", "mid-rotation"] as const;

export type Phase = (typeof PHASES)[number];

export type Cells = Readonly<Record<Phase, Cell>>;

/** Where and when a fault strikes. */
export interface Target {
  readonly world: FaultWorld;
  readonly cells: Cells;
  readonly all: readonly Cell[];
  /** Where the logs were before the strike. */
  readonly auditMark: number;
  readonly requestMark: number;
}

/** What the strike was, by a log that is not ours; undefined: it does not show yet. */
export type Evidence = () => Promise<string | undefined> | string | undefined;

export interface Strike {
  readonly evidence: Evidence;
  /** Ends the fault: what it took is there again. Recovery is measured from here. */
  mend(): Promise<void>;
  /** What else must hold once all has recovered: one sentence for each thing that does not. */
  readonly problems?: () => Promise<readonly string[]>;
}

export interface Fault {
  /** As the report has it. */
  readonly name: string;
  /** Seconds from mending to the last Secret, at most: what the waits involved add up to. */
  readonly bound: number;
  /** Seconds in which all is as the vault has it once nothing changes any more; where not given, two polls and a little. */
  readonly settles?: number;
  /** Two may hold the Lease for a moment: nobody can tell the first of them before it asks. */
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
  /** Undefined where it did not recover within the bound. */
  readonly seconds: number | undefined;
  /** What was lost or written twice. */
  readonly problems: readonly string[];
}

export interface FaultResult {
  readonly fault: string;
  readonly phases: readonly PhaseResult[];
  readonly evidence: string;
  readonly rotations: number;
  /** States that the API server stored. */
  readonly revisions: number;
  /** Writes that it answered with 2xx. */
  readonly writes: number;
}
