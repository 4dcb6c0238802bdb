/** Draws a terminal session as an animated SVG. Each line appears at the time when the program printed it. */
import { escaped } from "../markup.ts";

export interface PrintedLine {
  readonly text: string;
  /** Time in seconds since the start of the command. */
  readonly at: number;
}

const COLUMNS = 112;
const ROW = 18;
const GLYPH = 7.8;
const MARGIN = 16;
const BAR = 28;
/** In seconds. Longer computation does not interest viewers. */
const LONGEST_PAUSE = 0.7;

const STYLE = `
text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; fill: #c9d1d9; white-space: pre; }
.line { animation: appear 1ms both; }
.command { fill: #ffffff; font-weight: bold; }
.step { fill: #7ee787; font-weight: bold; }
.start { fill: #8b949e; }
.end { fill: #ffffff; font-weight: bold; }
@keyframes appear { from { opacity: 0; } to { opacity: 1; } }
@media (prefers-reduced-motion: reduce) { .line { animation: none; } }`.trim();

export function recording(command: string, lines: readonly PrintedLine[]): string {
  const delays = delaysOf(lines);
  const rows = [`$ ${command}`, ...lines.map(({ text }) => text)];
  const texts = rows.map((text, index) => lineOf(text, index, delays[index - 1] ?? 0)).filter((line) => line !== "");
  const width = COLUMNS * GLYPH + 2 * MARGIN;
  const height = BAR + rows.length * ROW + 2 * MARGIN;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>A recording of ${escaped(command)}</title>`,
    `<style>\n${STYLE}\n</style>`,
    `<rect width="100%" height="100%" rx="8" fill="#0d1117"/>`,
    ...["#ff5f56", "#ffbd2e", "#27c93f"].map((fill, index) => `<circle cx="${20 + 18 * index}" cy="18" r="5.5" fill="${fill}"/>`),
    ...texts,
    "</svg>\n",
  ].join("\n");
}

/** Time in seconds at which each line appears, with long pauses shortened. */
function delaysOf(lines: readonly PrintedLine[]): readonly number[] {
  let shown = 0;
  let before = 0;
  return lines.map(({ at }) => {
    shown += Math.min(at - before, LONGEST_PAUSE);
    before = at;
    return shown;
  });
}

function lineOf(text: string, row: number, delay: number): string {
  if (text.trim() === "") return "";
  const shown = text.length > COLUMNS ? `${text.slice(0, COLUMNS - 1)}…` : text;
  const y = BAR + MARGIN + (row + 0.75) * ROW;
  return `<text class="line ${kindOf(text)}" x="${MARGIN}" y="${y}" style="animation-delay:${delay.toFixed(2)}s">${escaped(shown)}</text>`;
}

function kindOf(text: string): string {
  if (text.startsWith("$ ")) return "command";
  if (text.startsWith("+ ")) return "start";
  if (/^\d+ /.test(text)) return "step";
  return text.startsWith("demo: ") ? "end" : "output";
}
