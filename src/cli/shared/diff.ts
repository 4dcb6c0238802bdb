import { diffArrays } from "diff";
import { type Line, paint, verbatim } from "./terminal.ts";

/** Number of lines to show around a change. */
const CONTEXT = 3;
/** If one piece has more changed lines, the diff shows it as replaced: the work grows with the square of this number. */
const MOST_CHANGES = 4_000;

/** One text, or its pieces. The diff compares pieces in the same place, so that the work grows only with their number. */
export type DiffText = string | readonly string[];

/** Returns the changes with some lines around them, as `diff -u` prints them; empty if nothing differs. */
export function unifiedDiff(before: DiffText, after: DiffText, name: string): string {
  const [olds = [], news = []] = [before, after].map((text) => (typeof text === "string" ? [text] : text));
  const hunks = hunksOf(olds.flatMap((old, index) => diffLines(old, news[index] ?? "")));
  if (hunks.length === 0) return "";
  return `${[`--- ${name}`, `+++ ${name} (as it would be stored)`, ...hunks.flatMap(hunkLines)].join("\n")}\n`;
}

const COLOURS = { "@": "cyan", "+": "green", "-": "red" } as const;

/** Renders a diff for the terminal; returns no line if nothing differs. */
export function shownDiff(diff: string): readonly Line[] {
  return linesOf(diff).map((text, index) => {
    const colour = index < 2 ? "bold" : COLOURS[text.charAt(0) as keyof typeof COLOURS]; // Undefined for other characters.
    return text === "" || colour === undefined ? verbatim(text) : paint(colour, verbatim(text));
  });
}

/** Returns the lines of both texts, each after its sign. */
function diffLines(before: string, after: string): readonly string[] {
  const [olds, news] = [linesOf(before), linesOf(after)];
  const changes = (before === after ? [{ value: olds, removed: false, added: false }] : undefined) ??
    diffArrays([...olds], [...news], { maxEditLength: MOST_CHANGES }) ?? [
      { value: olds, removed: true, added: false },
      { value: news, removed: false, added: true },
    ];
  return changes.flatMap(({ value, removed, added }) => value.map((text) => `${removed ? "-" : added ? "+" : " "}${text}`));
}

/** Returns the lines of a text; none for an empty text. */
function linesOf(text: string): readonly string[] {
  return text === "" ? [] : text.replace(/\n$/, "").split("\n");
}

interface Hunk {
  /** Numbers of the first line in the old and in the new text. */
  readonly old: number;
  readonly young: number;
  readonly lines: string[];
}

/** Groups the changes. Changes whose surrounding lines touch form one group. */
function hunksOf(lines: readonly string[]): readonly Hunk[] {
  const isShown = lines.map(() => false);
  for (const [index, line] of lines.entries()) {
    if (!line.startsWith(" ")) isShown.fill(true, Math.max(0, index - CONTEXT), index + CONTEXT + 1);
  }
  const hunks: Hunk[] = [];
  let [old, young] = [1, 1];
  for (const [index, line] of lines.entries()) {
    if (isShown[index] === true && isShown[index - 1] !== true) hunks.push({ old, young, lines: [] });
    if (isShown[index] === true) hunks.at(-1)?.lines.push(line);
    if (!line.startsWith("+")) old += 1;
    if (!line.startsWith("-")) young += 1;
  }
  return hunks;
}

function hunkLines({ old, young, lines }: Hunk): readonly string[] {
  const range = (start: number, other: string): string => {
    const count = lines.filter((line) => !line.startsWith(other)).length;
    return `${count === 0 ? start - 1 : start}${count === 1 ? "" : `,${count}`}`;
  };
  return [`@@ -${range(old, "+")} +${range(young, "-")} @@`, ...lines];
}
