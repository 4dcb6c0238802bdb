// The fast gate: format, lint (with layer rules), types, unit and property tests, generated files. `npm run check`.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { testFiles } from "./test-files.ts";

const root = path.resolve(import.meta.dirname, "..");
const bin = (name: string): string => path.join(root, "node_modules", ".bin", name);

interface Step {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

const steps: readonly Step[] = [
  { name: "format", command: bin("biome"), args: ["check", "."] },
  { name: "lint", command: process.execPath, args: [bin("oxlint"), "--deny-warnings"] },
  { name: "types", command: process.execPath, args: [bin("tsc"), "-p", "."] },
  {
    name: "unit and property tests",
    command: process.execPath,
    args: ["--test", "--test-reporter=dot", ...testFiles(["unit", "property"])],
  },
];

for (const step of steps) {
  const started = performance.now();
  const result = spawnSync(step.command, step.args, { cwd: root, stdio: "inherit" });
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  if (result.status !== 0) {
    console.error(`check: ${step.name} failed after ${seconds} s`);
    process.exit(1);
  }
  console.log(`check: ${step.name} ok (${seconds} s)`);
}
if (!existsSync(path.join(root, "package-lock.json"))) process.exit(1);
