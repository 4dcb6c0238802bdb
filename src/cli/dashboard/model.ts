import type { ObjectUsage } from "../../domain/where/usage.ts";
import type { ClassRow } from "./class-rows.ts";
import type { LiveCopies } from "./known.ts";

/** Data that pages are rendered from. Times are Unix milliseconds. */
export interface Model {
  readonly copies: LiveCopies;
  readonly rows: readonly ClassRow[];
  /** Returns the usages of each object, computed when a page needs them. */
  readonly usages: () => readonly ObjectUsage[];
  readonly now: number;
}
