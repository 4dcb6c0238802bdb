import type { Series } from "./verdict.ts";

export interface Panel {
  readonly title: string;
  readonly series: readonly Series[];
}

const WIDTH = 960;
const PANEL = 150;
const LEFT = 70;
const RIGHT = 250;
const GAP = 50;
const COLOURS = ["#1f6feb", "#d4720b", "#2da44e", "#8250df"];

/** Converts seconds to pixels, or values to pixels. */
type Scale = (value: number) => number;

/** Returns an SVG with one panel below the other, and marks for the strikes along the time axis. */
export function plotOf(panels: readonly Panel[], strikes: readonly number[], seconds: number): string {
  const times = panels.flatMap(({ series }) => series.flatMap(({ samples }) => samples.map(({ at }) => at)));
  const [first, last] = [Math.min(0, ...times), Math.max(seconds, ...times)];
  const x: Scale = (at) => LEFT + ((at - first) / (last - first)) * (WIDTH - LEFT - RIGHT);
  const height = panels.length * (PANEL + GAP) + GAP;
  const drawn = panels.map((panel, index) => panelOf(panel, { x, top: GAP + index * (PANEL + GAP), storm: [0, seconds] }));
  const marks = strikes.map((at) => line([x(at), height - 12], [x(at), height - 4], "#cf222e"));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    ...drawn,
    ...marks,
    text([WIDTH - RIGHT + 12, height - 4], "strikes", "#cf222e"),
    "</svg>\n",
  ].join("\n");
}

interface Place {
  readonly x: Scale;
  readonly top: number;
  /** Time in seconds during which faults struck. */
  readonly storm: readonly [number, number];
}

function panelOf({ title, series }: Panel, { x, top, storm }: Place): string {
  const most = Math.max(1, ...series.flatMap(({ samples }) => samples.map(({ value }) => value)));
  const y: Scale = (value) => top + PANEL - (value / most) * PANEL;
  const [from, to] = storm.map(x);
  const shade = `<rect x="${from}" y="${top}" width="${(to ?? 0) - (from ?? 0)}" height="${PANEL}" fill="#f3f4f6"/>`;
  const lines = series.flatMap(({ name, samples }, index) => {
    const colour = COLOURS[index % COLOURS.length] ?? "#000000";
    const points = samples.map(({ at, value }) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
    return [
      `<polyline points="${points}" fill="none" stroke="${colour}" stroke-width="1.5"/>`,
      text([WIDTH - RIGHT + 12, top + 14 + index * 16], name, colour),
    ];
  });
  return [
    shade,
    text([LEFT, top - 8], title),
    text([8, top + 10], most.toFixed(0)),
    text([8, top + PANEL], "0"),
    line([LEFT, top + PANEL], [WIDTH - RIGHT, top + PANEL], "#57606a"),
    ...lines,
  ].join("\n");
}

type Point = readonly [x: number, y: number];

function line([x1, y1]: Point, [x2, y2]: Point, colour: string): string {
  return `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" stroke="${colour}"/>`;
}

function text([x, y]: Point, words: string, colour = "#24292f"): string {
  return `<text x="${x}" y="${y}" fill="${colour}">${words.replaceAll("&", "&amp;").replaceAll("<", "&lt;")}</text>`;
}
