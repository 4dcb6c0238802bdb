/** Draws lines for the measured figures in docs/reference/performance.md. */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { REPOSITORY, readRepositoryFile } from "../repository-files.ts";
import { svg } from "./svg.ts";

const PAGE = "docs/reference/performance.md";
export const GROWTH_PICTURE = "docs/pictures/growth.svg";

/** Rows of the table for which the picture has lines. */
const DRAWN = [
  "first sync, CPU seconds, together",
  "vault transactions per poll",
  "CPU seconds per poll, together",
  "memory of the largest shard, MiB",
] as const;

export interface Growth {
  readonly label: string;
  /** Figure at each size divided by that at the first size. */
  readonly times: readonly number[];
}

export interface Grown {
  readonly sizes: readonly number[];
  readonly lines: readonly Growth[];
}

const numberIn = (cell: string): number => Number(/[\d,.]+/.exec(cell)?.[0].replaceAll(",", "") ?? Number.NaN);

/** The page's figures about shards. Throws if the page no longer contains them. */
export function measuredGrowth(page: string): Grown {
  const rows = page
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  const sizes =
    rows
      .find((cells) => cells[1]?.endsWith(" Secrets"))
      ?.slice(1)
      .map(numberIn) ?? [];
  const lines = DRAWN.map((label) => {
    const figures =
      rows
        .find(([first]) => first === label)
        ?.slice(1)
        .map(numberIn) ?? [];
    const [first = Number.NaN] = figures;
    return { label, times: figures.map((figure) => figure / first) };
  });
  const isWhole = sizes.length > 1 && lines.every(({ times }) => times.length === sizes.length && times.every(Number.isFinite));
  if (!isWhole) throw new Error(`${PAGE} has no table of how shards grow, with a row for each of: ${DRAWN.join("; ")}`);
  return { sizes, lines };
}

const SIZE = { width: 720, height: 320, left: 50, top: 20, right: 250, bottom: 40 } as const;
const COLOURS = ["#8250df", "#0969da", "#1a7f37", "#9a6700"] as const;

export function growthPicture({ sizes, lines }: Grown): string {
  const { width, height, left, top, right, bottom } = SIZE;
  const [first = 1] = sizes;
  const most = Math.max(...sizes.map((size) => size / first), ...lines.flatMap(({ times }) => times));
  const x = (index: number): number =>
    left + ((width - left - right) * ((sizes[index] ?? first) - first)) / ((sizes.at(-1) ?? first) - first);
  const y = (times: number): number => height - bottom - ((height - top - bottom) * times) / most;
  const points = (times: readonly number[]): string => times.map((each, index) => `${x(index).toFixed(1)},${y(each).toFixed(1)}`).join(" ");
  const ticks = Array.from({ length: Math.floor(most) + 1 }, (_, times) => times);
  /** Positions of the labels from the top, far enough apart. */
  const ends = lines
    .map(({ label, times }, index) => ({ label, times, colour: COLOURS[index] ?? "#57606a", at: y(times.at(-1) ?? 0) }))
    .toSorted((a, b) => a.at - b.at);
  for (const [index, end] of ends.entries()) end.at = Math.max(end.at, (ends[index - 1]?.at ?? 0) + 18);
  return svg({
    width,
    height,
    title: "How the cost of four shards grows with the number of Secrets",
    style: [
      "svg { background: #ffffff; } text { font: 13px system-ui, sans-serif; fill: #1f2328; } .grid { stroke: #d0d7de; } polyline { fill: none; stroke-width: 2; }",
      ".as-many { stroke: #57606a; stroke-dasharray: 4 4; }",
      "@media (prefers-color-scheme: dark) { svg { background: #0d1117; } text { fill: #e6edf3; } .grid { stroke: #30363d; } .as-many { stroke: #8b949e; } }",
    ],
    parts: [
      ...ticks.map(
        (times) =>
          `<line class="grid" x1="${left}" x2="${width - right}" y1="${y(times).toFixed(1)}" y2="${y(times).toFixed(1)}"/><text x="${left - 8}" y="${(y(times) + 4).toFixed(1)}" text-anchor="end">${times} ×</text>`,
      ),
      ...sizes.map(
        (size, index) =>
          `<text x="${x(index).toFixed(1)}" y="${height - bottom + 20}" text-anchor="middle">${size.toLocaleString("en-US")}</text>`,
      ),
      `<text x="${width - right + 30}" y="${height - bottom + 20}">Secrets (dashed: as many times)</text>`,
      `<polyline class="as-many" points="${points(sizes.map((size) => size / first))}"/>`,
      ...ends.flatMap(({ label, times, colour, at }) => [
        `<polyline points="${points(times)}" stroke="${colour}"/>`,
        `<text x="${width - right + 8}" y="${(at + 4).toFixed(1)}" style="fill: ${colour}">${label}</text>`,
      ]),
    ],
  });
}

/** Returns the path of the written file. */
export async function pictureGrowth(): Promise<string> {
  await writeFile(path.join(REPOSITORY, GROWTH_PICTURE), growthPicture(measuredGrowth(readRepositoryFile(PAGE))));
  return GROWTH_PICTURE;
}
