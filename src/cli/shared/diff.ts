import { diffArrays } from "diff";
import { paint } from "./terminal.ts";

/** Lines around a change that are shown with it. */
const CONTEXT = 3;
/** Changed lines of one piece beyond which it is shown as replaced: the work grows with their square. */
const MOST_CHANGES = 4_000;

interface DiffLine {
  readonly sign: " " | "-" | "+";
  readonly text: string;
}

/** One text, or the pieces that it is made of: each is compared with the piece in the same place, so that the work grows with their number alone. */
export type DiffText = string | readonly string[];

/** The changes with some lines around them, as `diff -u` prints them; empty where nothing differs. */
export function unifiedDiff(
  before: DiffText,
  after: DiffText,
  { name, hasColour }: { readonly name: string; readonly hasColour: boolean },
): string {
  const [olds, news] = [before, after].map((text) => (typeof text === "string" ? [text] : text));
  const lines = (olds ?? []).flatMap((old, index) => diffLines(old, news?.[index] ?? ""));
  const out = [...hunksOf(lines)].map((hunk) => hunkText(lines, hunk, hasColour));
  if (out.length === 0) return "";
  const head = [paint(`--- ${name}`, "bold", hasColour), paint(`+++ ${name} (as it would be stored)`, "bold", hasColour)];
  return `${[...head, ...out].join("\n")}\n`;
}

function diffLines(before: string, after: string): readonly DiffLine[] {
  const [olds, news] = [linesOf(before), linesOf(after)];
  if (before === after) return olds.map((text) => ({ sign: " ", text }));
  const changes = diffArrays([...olds], [...news], { maxEditLength: MOST_CHANGES }) ?? [
    { value: olds, removed: true, added: false },
    { value: news, removed: false, added: true },
  ];
  return changes.flatMap(({ value, removed, added }) => value.map((text): DiffLine => ({ sign: removed ? "-" : added ? "+" : " ", text })));
}

/** Of an empty text none. */
function linesOf(text: string): readonly string[] {
  return text === "" ? [] : text.replace(/\n$/, "").split("\n");
}

/** Where it begins and ends among the lines, and how many lines of either text stand before it. */
interface Hunk {
  readonly start: number;
  readonly end: number;
  readonly olds: number;
  readonly news: number;
}

/** Changes whose surroundings touch are one. */
function* hunksOf(lines: readonly DiffLine[]): Generator<Hunk> {
  let [olds, news, counted] = [0, 0, 0];
  let at = 0;
  const nextChange = (from: number): number => {
    let index = from;
    while (index < lines.length && lines[index]?.sign === " ") index += 1;
    return index;
  };
  for (let change = nextChange(0); change < lines.length; change = nextChange(at)) {
    const start = Math.max(at, change - CONTEXT);
    let last = change;
    for (let next = change; next < lines.length && next <= last + 2 * CONTEXT + 1; next = nextChange(next + 1)) last = next;
    at = Math.min(lines.length, last + CONTEXT + 1);
    for (; counted < start; counted += 1) {
      if (lines[counted]?.sign !== "+") olds += 1;
      if (lines[counted]?.sign !== "-") news += 1;
    }
    yield { start, end: at, olds, news };
  }
}

function hunkText(lines: readonly DiffLine[], { start, end, olds, news }: Hunk, hasColour: boolean): string {
  const shown = lines.slice(start, end);
  const range = (before: number, count: number): string => `${count === 0 ? before : before + 1}${count === 1 ? "" : `,${count}`}`;
  const counts = ["+", "-"].map((sign) => shown.filter((line) => line.sign !== sign).length);
  const head = `@@ -${range(olds, counts[0] ?? 0)} +${range(news, counts[1] ?? 0)} @@`;
  return [paint(head, "cyan", hasColour), ...shown.map((line) => lineText(line, hasColour))].join("\n");
}

function lineText({ sign, text }: DiffLine, hasColour: boolean): string {
  return sign === " " ? ` ${text}` : paint(`${sign}${text}`, sign === "+" ? "green" : "red", hasColour);
}
