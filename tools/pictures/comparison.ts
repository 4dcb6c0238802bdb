/** Draws bars for the measured figures in docs/reference/sync-performance.md. */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { REPOSITORY, readRepositoryFile } from "../repository-files.ts";
import { svg } from "./svg.ts";

const PAGE = "docs/reference/sync-performance.md";
export const COMPARISON_PICTURE = "docs/pictures/external-secrets.svg";

interface Bar {
  readonly label: string;
  /** Figure of External Secrets Operator divided by this project's. */
  readonly times: number;
}

/** The page's ratios at 10,000 Secrets, with both tuned. Throws if the page no longer contains them. */
export function measuredBars(page: string): readonly Bar[] {
  const took =
    /took ([\d.]+) times as long for the first sync, ([\d.]+) times as long for the deleted Secrets, and ([\d.]+) times as long for the changed objects/.exec(
      page,
    );
  const used = /used ([\d.]+) times the vault transactions and ([\d.]+) times the CPU time\. It used ([\d.]+) times the\s+memory/.exec(
    page,
  );
  if (took === null || used === null) throw new Error(`${PAGE} has no sentence with the ratios to External Secrets Operator`);
  const labels = [
    ["first sync", took[1]],
    ["1,000 deleted Secrets back", took[2]],
    ["changed objects in their Secrets", took[3]],
    ["vault transactions of a poll", used[1]],
    ["CPU of a poll", used[2]],
    ["memory", used[3]],
  ] as const;
  return labels.map(([label, times]) => ({ label, times: Number(times) }));
}

const SIZE = { width: 720, row: 34, top: 58, left: 236, right: 70, bar: 10 } as const;

export function comparisonPicture(bars: readonly Bar[]): string {
  const { width, row, top, left, right, bar } = SIZE;
  const height = top + bars.length * row + 12;
  const most = Math.max(...bars.map(({ times }) => times));
  const length = (times: number): string => (((width - left - right) * times) / most).toFixed(1);
  const rows = bars.flatMap(({ label, times }, index) => {
    const y = top + index * row;
    return [
      `<text x="${left - 10}" y="${y + 14}" text-anchor="end">${label}</text>`,
      `<rect class="ours" x="${left}" y="${y}" width="${length(1)}" height="${bar}"/>`,
      `<rect class="theirs" x="${left}" y="${y + bar + 1}" width="${length(times)}" height="${bar}"/>`,
      `<text x="${(left + Number(length(times)) + 6).toFixed(1)}" y="${y + bar + 10}">${times} ×</text>`,
    ];
  });
  return svg({
    width,
    height,
    title: "Cost of 10,000 Secrets: External Secrets Operator, tuned, as a multiple of keyvault-injector",
    style: [
      "svg { background: #ffffff; } text { font: 13px system-ui, sans-serif; fill: #1f2328; }",
      ".ours { fill: #1a7f37; } .theirs { fill: #8250df; }",
      "@media (prefers-color-scheme: dark) { svg { background: #0d1117; } text { fill: #e6edf3; } .ours { fill: #3fb950; } .theirs { fill: #a371f7; } }",
    ],
    parts: [
      `<rect class="ours" x="${left}" y="16" width="12" height="12"/><text x="${left + 18}" y="27">keyvault-injector (1 ×)</text>`,
      `<rect class="theirs" x="${left + 190}" y="16" width="12" height="12"/><text x="${left + 208}" y="27">External Secrets Operator, tuned</text>`,
      ...rows,
    ],
  });
}

/** Returns the path of the written file. */
export async function pictureComparison(): Promise<string> {
  await writeFile(path.join(REPOSITORY, COMPARISON_PICTURE), comparisonPicture(measuredBars(readRepositoryFile(PAGE))));
  return COMPARISON_PICTURE;
}
