import type { ObjectUsage } from "../../domain/where/usage.ts";
import type { ClassRow } from "./class-rows.ts";
import type { LiveCopies } from "./known.ts";

/** What pages are made from. Times are Unix milliseconds. */
export interface Model {
  readonly copies: LiveCopies;
  readonly rows: readonly ClassRow[];
  /** Everything that uses each object; computed when a page asks for it. */
  readonly usages: () => readonly ObjectUsage[];
  readonly now: number;
}
