/**
 * `npm run sim`: simulates years of a cluster's life from seeds. `npm run sim -- --hours 10000 [--seed 1] [--seed-hours 24] [--world small]
 * [--workers 2] [--keep-going]`. With `--twice`, runs each seed three times and compares the traces. With `--coverage`, prints how many
 * branches of the product the seeds covered.
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
