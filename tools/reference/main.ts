/**
 * Generates the tables of `docs/reference` from those of the code.
 *
 * node tools/reference/main.ts [--check]
 *
 * `--check` writes nothing, and fails if a page is out of date.
 */
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";
import { annotationPlaces } from "./annotations.ts";
import { doctorPlaces } from "./doctor.ts";
import { eventPlaces } from "./events.ts";
import { logPlaces } from "./logs.ts";
import { metricPlaces } from "./metrics.ts";
import { fillPage, type Places } from "./page.ts";
import { reasonPlaces } from "./reasons.ts";
import { secretDataPlaces } from "./secret-data.ts";
import { settingPlaces } from "./settings.ts";

const folder = path.resolve(import.meta.dirname, "../../docs/reference");

const PAGES: Readonly<Record<string, () => Places | Promise<Places>>> = {
  "annotations.md": annotationPlaces,
  "doctor.md": doctorPlaces,
  "events.md": eventPlaces,
  "logs.md": logPlaces,
  "metrics.md": metricPlaces,
  "reasons.md": reasonPlaces,
  "secret-data.md": secretDataPlaces,
  "settings.md": settingPlaces,
};

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });
  const outdated: string[] = [];
  for (const [name, places] of Object.entries(PAGES)) {
    const file = path.join(folder, name);
    const stored = await readFile(file, "utf8");
    const made = fillPage(stored, await places());
    if (made !== stored) outdated.push(name);
    if (!values.check) await writeFile(file, made);
  }
  for (const name of outdated)
    console.error(values.check ? `docs/reference/${name} is not what the code says: run npm run reference` : `docs/reference/${name}`);
  return values.check && outdated.length > 0 ? 1 : 0;
}

process.exitCode = await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  return 1;
});
