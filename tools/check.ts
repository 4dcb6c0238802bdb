// `npm run check`: the fast gate. Format, lint (with layer rules), types, reference pages, prose, the site's links, unit and property
// tests, known vulnerabilities, generated files. `-- --no-tests` omits the tests, for a caller who runs all of them afterwards.
import { spawnSync } from "node:child_process";
import path from "node:path";
import { scriptArguments } from "./script-arguments.ts";
import { LANES, testFiles } from "./test-files.ts";

const { "no-tests": isWithoutTests } = scriptArguments("npm run check -- [--no-tests]", {
  options: { "no-tests": { type: "boolean" } },
}).values;

const root = path.resolve(import.meta.dirname, "..");
const bin = (name: string): string => path.join(root, "node_modules", ".bin", name);

interface Step {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

const steps: readonly Step[] = [
  // `check` also checks the order of imports.
  { name: "format", command: bin("biome"), args: ["check", "."] },
  { name: "lint", command: process.execPath, args: [bin("oxlint"), "--deny-warnings"] },
  { name: "types", command: process.execPath, args: [bin("tsc"), "-p", "."] },
  { name: "reference pages", command: process.execPath, args: ["tools/reference/main.ts", "--check"] },
  { name: "prose", command: process.execPath, args: ["tools/prose/main.ts"] },
  { name: "site", command: process.execPath, args: ["tools/site/main.ts", "--check"] },
];

const tests: Step = {
  name: "unit and property tests",
  command: process.execPath,
  args: ["--test", "--test-reporter=dot", `--test-concurrency=${LANES}`, ...testFiles(["unit", "property"])],
};

/** Known vulnerabilities of the packages. The step reports a registry that does not answer, and does not fail because of it. */
const audit: Step = { name: "audit", command: process.execPath, args: ["tools/release/audit.ts"] };

/** Needs kubectl to render. CI has it, and a fresh checkout gets it with the first `npm test`. */
const generated: Step = { name: "generated files", command: process.execPath, args: ["tools/render-manifests.ts", "--check"] };

function run(step: Step): void {
  const started = performance.now();
  const result = spawnSync(step.command, step.args, { cwd: root, stdio: "inherit" });
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  if (result.status !== 0) {
    console.error(`check: ${step.name} failed after ${seconds} s`);
    process.exit(1);
  }
  console.log(`check: ${step.name} ok (${seconds} s)`);
}

for (const step of [...steps, ...(isWithoutTests ? [] : [tests]), audit]) run(step);
const missing = process.env["KEYVAULT_INJECTOR_NO_CONTROL_PLANE"];
if (missing === undefined) {
  run(generated);
} else {
  console.log(`check: generated files SKIPPED: ${missing}`);
  if (process.env["CI"] === "true") process.exit(1);
}
