/**
 * `npm run sim`: years of a cluster's life from seeds. `npm run sim -- --hours 10000 [--seed 1] [--seed-hours 24]`
 */
import "./time/install.ts";
import "./network/install.ts";
import { parseArgs } from "node:util";

const { simulate } = await import("./simulation.ts");
const { describeOutcome } = await import("./describe.ts");
const { shrink } = await import("./shrink.ts");

const { values } = parseArgs({
  options: {
    hours: { type: "string", default: "100" },
    seed: { type: "string", default: "1" },
    "seed-hours": { type: "string", default: "24" },
    only: { type: "string" },
    shrink: { type: "string", default: "40" },
  },
});
const only = values.only === undefined ? undefined : new Set(values.only.split(",").map(Number));
const perSeed = Number(values["seed-hours"]);
const started = process.cpuUsage();
const all = { hours: 0, faults: 0, seeds: 0, violations: 0 };
for (let seed = Number(values.seed); all.hours < Number(values.hours); seed += 1) {
  const outcome = await simulate({ seed, hours: Math.min(perSeed, Number(values.hours) - all.hours), only });
  all.hours += outcome.hours;
  all.faults += outcome.faults;
  all.seeds += 1;
  all.violations += outcome.violations.length;
  if (outcome.violations.length > 0) {
    const most = Number(values.shrink);
    const { outcome: least, steps, tries } = most === 0 ? { outcome, steps: [], tries: 0 } : await shrink(outcome, most);
    console.log(describeOutcome(least));
    if (tries > 0) console.log(`shrunk in ${tries} tries to ${steps.length} of ${outcome.steps} steps: ${steps.join(", ")}`);
    break;
  }
}
const used = process.cpuUsage(started);
const cpu = (used.user + used.system) / 1e6;
console.log(`${all.hours.toFixed(0)} simulated hours, ${all.faults} faults, ${all.seeds} seeds, ${all.violations} violations`);
console.log(`${(all.hours / cpu).toFixed(2)} simulated hours per CPU second`);
process.exit(all.violations === 0 ? 0 : 1);
