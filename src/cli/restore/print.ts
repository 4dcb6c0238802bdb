import { paint } from "../paint.ts";
import type { Restorable, SnapshotState } from "./plan.ts";
import type { RestoreAction, Restored } from "./write.ts";

const COLOURS: Readonly<Record<SnapshotState | RestoreAction, "green" | "yellow" | "red" | "cyan">> = {
  missing: "yellow",
  same: "green",
  differs: "yellow",
  forged: "red",
  unknown: "cyan",
  created: "green",
  overwritten: "yellow",
  kept: "green",
  refused: "red",
};

export interface Printing {
  readonly isListed: boolean;
  readonly isDryRun: boolean;
  readonly isForced: boolean;
  readonly hasColour: boolean;
}

/** A line for each snapshot, with the difference where there is one, and how many came to what. */
export function restoreText(results: readonly (Restorable | Restored)[], printing: Printing): string {
  const lines = results.flatMap((result) => {
    const word = wordOf(result);
    const taken = result.taken === undefined ? "" : `, taken ${result.taken}`;
    const head = `${paint(word.padEnd(11), COLOURS[word], printing.hasColour)}  ${result.namespace}/${result.name}: ${oneLine(result.message)} (${result.revision}${taken})`;
    return result.diff === undefined ? [head] : [head, result.diff.trimEnd()];
  });
  return `${[...lines, ...(lines.length === 0 ? [] : [""]), summaryOf(results, printing)].join("\n")}\n`;
}

function wordOf(result: Restorable | Restored): SnapshotState | RestoreAction {
  return "action" in result ? result.action : result.state;
}

function summaryOf(results: readonly (Restorable | Restored)[], { isListed, isDryRun }: Printing): string {
  const counts = Map.groupBy(results, wordOf);
  const told = [...counts].map(([word, those]) => `${those.length} ${word}`).join(", ");
  if (results.length === 0) return "there are no snapshots";
  if (isListed) return `${results.length} snapshots: ${told}`;
  return isDryRun ? `${told}; nothing was changed (--dry-run)` : told;
}

/** Others' texts: control characters would move a terminal's cursor. */
function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\s]+/gu, " ").trim();
}
