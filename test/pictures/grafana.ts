import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { prepareChromium, startChromium } from "../support/dashboard/chromium.ts";
import { installFolder, installRefusal } from "../support/processes/locked-packages.ts";
import { startSyncWorld } from "../support/worker/sync-world.ts";
import type { Drawing, DrawnSeries, Panel } from "./grafana/drawing.ts";
import { monitoredRun } from "./monitored-run.ts";
import { type Prometheus, type PrometheusSeries, type Range, startPrometheus } from "./prometheus.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const DASHBOARD = path.join(ROOT, "manifests/components/monitoring/dashboard.json");
const FILE = path.join(ROOT, "docs/pictures/grafana.png");
const PAGE = path.join(import.meta.dirname, "grafana");
const PACKAGES = "pictures/grafana";
const MOST_BYTES = 200_000;
/** Rows of the dashboard's grid in the picture: what is at a glance, the classes, and the first panels of the vaults. */
const ROWS = 28;

/** The shipped dashboard, drawn by Grafana's own panels from a run that a real Prometheus scraped. Resolves with what was made. */
export async function pictureGrafana(): Promise<string> {
  const refusal = installRefusal(PACKAGES);
  if (refusal !== undefined) throw new Error(refusal);
  prepareChromium();
  const [world, prometheus] = await Promise.all([startSyncWorld(), startPrometheus()]);
  try {
    const range = await monitoredRun(world, prometheus);
    return await draw(await drawingOf(prometheus, range));
  } finally {
    await prometheus.stop();
    await world.stop();
  }
}

async function drawingOf(prometheus: Prometheus, range: Range): Promise<Drawing> {
  const { panels } = JSON.parse(readFileSync(DASHBOARD, "utf8")) as { readonly panels: readonly Panel[] }; // The shipped file.
  const shown = panels.filter(({ gridPos }) => gridPos.y + gridPos.h <= ROWS);
  const series: Record<number, readonly DrawnSeries[]> = {};
  for (const { id, targets = [] } of shown) {
    const answers = await Promise.all(
      targets.map(async ({ expr, legendFormat }) =>
        (await prometheus.queryRange(withoutVariables(expr), range)).map((each) => drawnSeries(each, legendFormat)),
      ),
    );
    series[id] = answers.flat();
  }
  return { panels: shown, series, ...range, rows: ROWS };
}

/** Every variable of the dashboard at its default, which is all. */
function withoutVariables(expression: string): string {
  return expression.replaceAll(/\$(?:cluster|namespace|class|vault)\b/g, ".*");
}

function drawnSeries({ metric, values }: PrometheusSeries, legend: string | undefined): DrawnSeries {
  const labels = Object.entries(metric).map(([label, value]) => `${label}="${value}"`);
  const name = legend?.replaceAll(/\{\{(\w+)\}\}/g, (_, label: string) => metric[label] ?? "");
  return {
    name: name === undefined || name === "" ? `{${labels.join(", ")}}` : name,
    times: values.map(([time]) => time * 1_000),
    values: values.map(([, value]) => (Number.isFinite(Number(value)) ? Number(value) : null)),
  };
}

async function draw(drawing: Drawing): Promise<string> {
  const folder = mkdtempSync(path.join(tmpdir(), "grafana-"));
  const browser = await startChromium();
  try {
    checkTypes(folder);
    await bundle(folder);
    writeFileSync(path.join(folder, "index.html"), pageOf(drawing));
    const page = await browser.newPage({ viewport: { width: 1_400, height: 300 } });
    page.on("pageerror", (error) => console.error(error.message));
    await page.goto(pathToFileURL(path.join(folder, "index.html")).href);
    await page
      .locator("canvas")
      .nth(drawnGraphs(drawing) - 1)
      .waitFor();
    await page.locator("#dashboard").screenshot({ path: FILE, animations: "disabled" });
  } finally {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  }
  const { size } = statSync(FILE);
  if (size > MOST_BYTES) throw new Error(`${FILE} has ${size} bytes, more than ${MOST_BYTES}`);
  return `${path.relative(process.cwd(), FILE)}: ${drawing.panels.length} panels, ${size} bytes`;
}

/** A graph without data has no canvas. */
function drawnGraphs({ panels, series }: Drawing): number {
  return panels.filter(({ id, type }) => type === "timeseries" && (series[id] ?? []).length > 0).length;
}

/** No gate checks the types of the page: its packages are not installed there. */
function checkTypes(folder: string): void {
  const packages = path.join(installFolder(PACKAGES), "node_modules");
  const config = path.join(folder, "tsconfig.json");
  const paths = { "*": [`${packages}/@types/*`, `${packages}/*`] };
  const files = ["panels.tsx", "drawing.ts"].map((file) => path.join(PAGE, file));
  writeFileSync(
    config,
    JSON.stringify({ extends: path.join(PAGE, "tsconfig.json"), compilerOptions: { paths }, include: files, exclude: [] }),
  );
  execFileSync(path.join(ROOT, "node_modules/.bin/tsc"), ["-p", config], { stdio: ["ignore", "inherit", "inherit"] });
}

async function bundle(folder: string): Promise<void> {
  await build({
    entryPoints: [path.join(PAGE, "panels.tsx")],
    bundle: true,
    outfile: path.join(folder, "panels.js"),
    format: "iife",
    jsx: "automatic",
    nodePaths: [path.join(installFolder(PACKAGES), "node_modules")],
    define: { "process.env.NODE_ENV": '"production"', global: "window" },
    // Of the code editor, which no panel shows.
    loader: { ".ttf": "empty" },
    logLevel: "error",
  });
}

function pageOf(drawing: Drawing): string {
  const data = JSON.stringify(drawing).replaceAll("<", String.raw`\u003c`);
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Grafana</title><link rel="stylesheet" href="panels.css"></head>
<body><div id="root"></div><script>window.drawing = ${data}</script><script src="panels.js"></script></body></html>`;
}
