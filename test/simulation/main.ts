/**
 * `npm run sim`: years of a cluster's life from seeds. `npm run sim -- --hours 10000 [--seed 1] [--seed-hours 24]`
 */
import "./time/install.ts";
import "./network/install.ts";
import { parseArgs } from "node:util";

const { simulate } = await import("./simulation.ts");
const { describeOutcome } = await import("./describe.ts");

const { values } = parseArgs({
  options: {
    hours: { type: "string", default: "100" },
    seed: { type: "string", default: "1" },
    "seed-hours": { type: "string", default: "24" },
    without: { type: "string", default: "" },
  },
});
const perSeed = Number(values["seed-hours"]);
const started = process.cpuUsage();
const all = { hours: 0, faults: 0, seeds: 0, violations: 0 };
for (let seed = Number(values.seed); all.hours < Number(values.hours); seed += 1) {
  const without = new Set(
    values.without
      .split(",")
      .filter((text) => text !== "")
      .map(Number),
  );
  const outcome = await simulate({ seed, hours: Math.min(perSeed, Number(values.hours) - all.hours), without });
  all.hours += outcome.hours;
  all.faults += outcome.faults;
  all.seeds += 1;
  all.violations += outcome.violations.length;
  if (outcome.violations.length > 0) {
    console.log(describeOutcome(outcome));
    break;
  }
}
const used = process.cpuUsage(started);
const cpu = (used.user + used.system) / 1e6;
console.log(`${all.hours.toFixed(0)} simulated hours, ${all.faults} faults, ${all.seeds} seeds, ${all.violations} violations`);
console.log(`${(all.hours / cpu).toFixed(2)} simulated hours per CPU second`);
process.exit(all.violations === 0 ? 0 : 1);
