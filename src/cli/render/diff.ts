import { paint } from "../paint.ts";

/** Lines around a change that are shown with it. */
const CONTEXT = 3;

interface DiffLine {
  readonly kind: "same" | "removed" | "added";
  readonly text: string;
}

/** Every line of both texts, by a longest common subsequence. */
function diffLines(before: readonly string[], after: readonly string[]): readonly DiffLine[] {
  const start = commonLength(before, after, (index, list) => list[index]);
  const end = Math.min(
    commonLength(before, after, (index, list) => list[list.length - 1 - index]),
    Math.min(before.length, after.length) - start,
  );
  const same = (text: string): DiffLine => ({ kind: "same", text });
  return [
    ...before.slice(0, start).map(same),
    ...diffMiddle(before.slice(start, before.length - end), after.slice(start, after.length - end)),
    ...before.slice(before.length - end).map(same),
  ];
}

/** The changes with some lines around them, as `diff -u` prints them; empty where nothing differs. */
export function unifiedDiff(
  before: string,
  after: string,
  { name, hasColour }: { readonly name: string; readonly hasColour: boolean },
): string {
  const lines = diffLines(linesOf(before), linesOf(after));
  const shown = lines.map((_, index) => lines.slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1).some(({ kind }) => kind !== "same"));
  if (!shown.includes(true)) return "";
  const out = [paint(`--- ${name}`, "bold", hasColour), paint(`+++ ${name} (as it would be stored)`, "bold", hasColour)];
  for (const [index, { kind, text }] of lines.entries()) {
    if (shown[index] !== true) continue;
    if (shown[index - 1] !== true) out.push(paint("@@", "cyan", hasColour));
    if (kind === "same") out.push(` ${text}`);
    else out.push(kind === "added" ? paint(`+${text}`, "green", hasColour) : paint(`-${text}`, "red", hasColour));
  }
  return `${out.join("\n")}\n`;
}

function linesOf(text: string): readonly string[] {
  return text.replace(/\n$/, "").split("\n");
}

function commonLength(
  before: readonly string[],
  after: readonly string[],
  at: (index: number, list: readonly string[]) => string | undefined,
): number {
  const most = Math.min(before.length, after.length);
  let length = 0;
  while (length < most && at(length, before) === at(length, after)) length += 1;
  return length;
}

function diffMiddle(before: readonly string[], after: readonly string[]): readonly DiffLine[] {
  // lengths[i][j]: of the longest common subsequence of what follows line i and line j.
  const lengths = Array.from({ length: before.length + 1 }, () => Array.from({ length: after.length + 1 }, () => 0));
  const lengthAt = (row: number, column: number): number => lengths[row]?.[column] ?? 0;
  for (let row = before.length - 1; row >= 0; row -= 1) {
    for (let column = after.length - 1; column >= 0; column -= 1) {
      const isSame = before[row] === after[column];
      const best = isSame ? lengthAt(row + 1, column + 1) + 1 : Math.max(lengthAt(row + 1, column), lengthAt(row, column + 1));
      lengths[row]?.splice(column, 1, best);
    }
  }
  const lines: DiffLine[] = [];
  let [row, column] = [0, 0];
  while (row < before.length || column < after.length) {
    const [old, young] = [before[row], after[column]];
    if (old !== undefined && old === young) {
      lines.push({ kind: "same", text: old });
      row += 1;
      column += 1;
    } else if (old !== undefined && (young === undefined || lengthAt(row + 1, column) >= lengthAt(row, column + 1))) {
      lines.push({ kind: "removed", text: old });
      row += 1;
    } else {
      lines.push({ kind: "added", text: young ?? "" });
      column += 1;
    }
  }
  return lines;
}
