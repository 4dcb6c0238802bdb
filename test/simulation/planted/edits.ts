/** Small changes of source files as text. They throw an error if the text has changed. */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { WorldName } from "../world/sizes.ts";

export interface Edit {
  /** Path from the root of the checkout. */
  readonly file: string;
  /** Text that occurs exactly once in the file. */
  readonly find: string;
  readonly replace: string;
}

/** A defect, and the changes of `src` that create it. */
export interface Planted {
  /** Id by the review that found the defect, or by the simulation. */
  readonly id: string;
  /** Effect of the defect. */
  readonly what: string;
  readonly edits: readonly Edit[];
  /** Names of the invariants that show the defect. Violations of other invariants do not show it. Undefined: any invariant shows it. */
  readonly shownBy?: readonly string[];
  /** World in which the defect shows. Default: `small`. */
  readonly world?: WorldName;
}

/** Returns the text with the edit. Throws an `Error` with the file and the text to find unless the text occurs exactly once. */
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
