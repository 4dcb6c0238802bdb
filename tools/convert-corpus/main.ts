/**
 * Counts, by kind, how many manifests of other people's repositories `convert` converts, and the reasons for the others. Keeps nothing of
 * the repositories.
 */
import { readdirSync } from "node:fs";
import path from "node:path";
import { scriptArguments } from "../script-arguments.ts";
import { manifestsIn } from "./manifests.ts";
import { Tallies } from "./tallies.ts";

const { positionals } = scriptArguments("npm run convert:corpus -- FOLDER", { allowPositionals: true, options: {} });
const [folder] = positionals;

if (folder === undefined) {
  console.error("name a folder of repositories; usage: npm run convert:corpus -- FOLDER");
  process.exitCode = 2;
} else {
  const repositories = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const tallies = new Tallies();
  for (const { name } of repositories) tallies.add(manifestsIn(path.join(folder, name)));
  console.log([`${repositories.length} repositories`, ...tallies.lines()].join("\n"));
}
