/**
 * A process that runs the seeds that its parent sends, one after the other. Apart from the channel to its parent, time, chance, and network
 * are simulated.
 */
const realNow = performance.now.bind(performance);
const realRandom = Math.random;
await import("../time/install.ts");
await import("../network/install.ts");
const { describeOutcome } = await import("../describe.ts");
const { simulate } = await import("../simulation.ts");
const { shrink } = await import("../shrink.ts");
const { note } = await import("../time/context.ts");

import type { Outcome } from "../simulation.ts";
import type { Job, Summary } from "./job.ts";

/** The simulation creates a hundred error stacks in a simulated minute, and no one reads them. */
Error.stackTraceLimit = 3;

async function storyOf(outcome: Outcome, job: Job, began: number): Promise<string> {
  if (outcome.violations.length === 0) return "";
  if (job.shrink === undefined) return describeOutcome(outcome);
  const end = began + job.shrink.within;
  const { outcome: least, steps, tries } = await shrink(outcome, { most: job.shrink.tries, isTime: () => realNow() < end });
  return `${describeOutcome(least)}\nshrunk in ${tries} tries to ${steps.length} of ${outcome.steps} steps: --only ${steps.join(",")}`;
}

async function run(job: Job): Promise<Summary> {
  const [began, started] = [realNow(), process.cpuUsage()];
  const { seed, hours, world, keptBlock } = job;
  const haunt = job.isHaunted === true ? (): void => note(`${realRandom()}`) : undefined;
  const outcome = await simulate({ seed, hours, world, only: job.only === undefined ? undefined : new Set(job.only), keptBlock, haunt });
  const { user, system } = process.cpuUsage(started);
  return {
    seed,
    world: outcome.world,
    hours: outcome.hours,
    faults: outcome.faults,
    overlapping: outcome.overlapping,
    kinds: outcome.faultKinds,
    violations: outcome.violations.length,
    story: await storyOf(outcome, job, began),
    digest: outcome.trace.digest,
    blocks: outcome.trace.blocks,
    lines: outcome.trace.lines,
    cpuSeconds: (user + system) / 1e6,
  };
}

process.on("message", (job: Job) => {
  run(job).then(
    (summary) => process.send?.(summary),
    (error: unknown) => {
      console.error(`seed ${job.seed}:`, error);
      process.exit(2);
    },
  );
});
process.on("disconnect", () => process.exit(0));
