/** Small changes of source files as text, which fail loudly where the text has changed. */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { WorldName } from "../world/sizes.ts";

export interface Edit {
  /** From the root of the checkout. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
}

/** A defect, as what has to be changed in `src` to have it. */
export interface Planted {
  /** Of the review that found it, or of the simulation. */
  readonly id: string;
  /** What goes wrong with it. */
  readonly what: string;
  readonly edits: readonly Edit[];
  /** Names of the invariants that it violates. What else is violated shows something else; any shows it unless given. */
  readonly shownBy?: readonly string[];
  /** In which world it shows; a small one unless given. */
  readonly world?: WorldName;
}

/** The text with the edit made. Throws an `Error` that names the file and the text where it does not stand in it exactly once. */
export function edited(text: string, { file, find, replace }: Edit): string {
  const parts = text.split(find);
  if (parts.length === 2) return parts.join(replace);
  throw new Error(`${file}: this text stands there ${parts.length - 1} times and not once; write the planted defect anew:\n${find}`);
}

/** Changes the files below `root`. */
export function makeEdits(root: string, { id, edits }: Planted): void {
  for (const edit of edits) {
    const file = path.join(root, edit.file);
    try {
      writeFileSync(file, edited(readFileSync(file, "utf8"), edit));
    } catch (error) {
      throw new Error(`planted defect ${id} does not apply any more: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
  }
}
