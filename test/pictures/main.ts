/**
 * Makes the pictures of the pages from real runs.
 *
 *   npm run pictures -- [NAME...]
 *
 * Without a name: all of them.
 */
import { pictureComparison } from "../../tools/pictures/comparison.ts";
import { recordDemo } from "../../tools/pictures/demo.ts";
import { pictureGrowth } from "../../tools/pictures/growth.ts";
import { pictureDashboard } from "./dashboard.ts";
import { pictureGrafana } from "./grafana.ts";

const PICTURES: Readonly<Record<string, () => Promise<string>>> = {
  demo: recordDemo,
  comparison: pictureComparison,
  growth: pictureGrowth,
  dashboard: pictureDashboard,
  grafana: pictureGrafana,
};

async function main(): Promise<number> {
  const asked = process.argv.slice(2);
  const names = asked.length > 0 ? asked : Object.keys(PICTURES);
  for (const name of names) {
    const picture = Object.hasOwn(PICTURES, name) ? PICTURES[name] : undefined;
    if (picture === undefined) throw new Error(`There is no picture ${name}. Known: ${Object.keys(PICTURES).join(", ")}`);
    console.log(`${name}: ${await picture()}`);
  }
  return 0;
}

process.exitCode = await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  return 1;
});
