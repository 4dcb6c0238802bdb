/**
 * `npm run sim`: years of a cluster's life from seeds. `npm run sim -- --hours 10000 [--seed 1] [--seed-hours 24] [--world small] [--workers 2] [--keep-going]`; with
 * `--twice` each seed is lived through three times, and its traces compared; `--coverage` prints which branches of the product were taken.
 */
import { branchCoverage } from "./runs/coverage.ts";
import { jobsOf, liveThrough, wantedOf } from "./runs/seeds.ts";
import { runThrice } from "./runs/twice.ts";

async function main(args: readonly string[]): Promise<boolean> {
  const wanted = wantedOf(args);
  if (wanted.isCovered) {
    for (const line of await branchCoverage(args.filter((arg) => arg !== "--coverage"))) console.log(line);
    return true;
  }
  if (!wanted.isTwice) return liveThrough(jobsOf(wanted), wanted);
  let isSame = true;
  for (const { seed, hours, world } of jobsOf(wanted)) {
    const { digests, difference } = await runThrice({ seed, hours, world });
    console.log(`seed ${seed}: traces ${digests.join(", ")}${difference === undefined ? "" : `; they differ:\n${difference}`}`);
    isSame &&= difference === undefined;
  }
  return isSame;
}

process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1;
