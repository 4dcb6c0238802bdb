/**
 * `npm run test:practices [row …]`: checks that the tests in docs/evidence/good-practices.md pass, and that each of our practices, switched
 * off in a copy of the checkout, makes its test fail. Prints `N/N caught`.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import { copyCheckout } from "./checkout-copy.ts";
import { type NamedTest, readPractices } from "./page.ts";
import { describeTest, runNamed } from "./run-named.ts";
import { SWITCHED_OFF, type SwitchedOff } from "./switched-off.ts";

const root = path.resolve(import.meta.dirname, "../..");
const rows = process.argv.slice(2).map(Number);
const isChosen = (row: number): boolean => rows.length === 0 || rows.includes(row);
const practices = readPractices(readFileSync(path.join(root, "docs/evidence/good-practices.md"), "utf8")).filter(({ row }) =>
  isChosen(row),
);
const switches = SWITCHED_OFF.filter(({ row }) => isChosen(row));
const copy = copyCheckout(root);
process.on("exit", () => copy.remove());
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));

const refusal = controlPlaneRefusal();
/** Tests that cannot run on this machine. */
const skipped = new Set<string>();

/** Runs all named tests without a change: otherwise a test that always fails would catch everything. */
async function control(): Promise<boolean> {
  const named = practices.flatMap(({ tests }) => tests);
  let isGreen = true;
  for (const [file, tests] of Map.groupBy(named, ({ file }) => file)) {
    if (refusal !== undefined && file.startsWith("test/integration/")) {
      for (const each of tests) skipped.add(describeTest(each));
      continue;
    }
    const outcomes = await runNamed(copy.folder, file, [...new Set(tests.map(({ name }) => name))]);
    for (const [name, outcome] of outcomes) {
      if (outcome === "passed") continue;
      console.error(`practices: ${outcome} without any change: ${describeTest({ file, name })}`);
      isGreen = false;
    }
  }
  return isGreen;
}

function testOf({ row, test }: SwitchedOff): NamedTest {
  const named = practices.find((practice) => practice.row === row)?.tests[test];
  if (named === undefined) throw new Error(`row ${row} of the page names no test ${test + 1}`);
  return named;
}

async function isCaught(one: SwitchedOff): Promise<boolean> {
  const { row, what, edits } = one;
  const named = testOf(one);
  const started = performance.now();
  const outcomes = await copy.withEdits(edits, () => runNamed(copy.folder, named.file, [named.name]));
  const outcome = outcomes.get(named.name);
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  console.log(`${outcome === "failed" ? "caught    " : "NOT CAUGHT"} ${row}: ${what} (${seconds} s)`);
  if (outcome !== "failed") console.error(`practices: ${describeTest(named)} ${outcome}`);
  return outcome === "failed";
}

if (!(await control())) process.exit(1);
console.log(`practices: ${practices.length} rows, their tests pass`);
const possible = switches.filter((one) => !skipped.has(describeTest(testOf(one))));
let caught = 0;
for (const one of possible) if (await isCaught(one)) caught += 1;
const left = switches.length - possible.length;
if (left > 0) console.log(`practices: ${left} SKIPPED: ${refusal}`);
console.log(`practices: ${caught}/${possible.length} caught`);
const mustRun = process.env["CI"] === "true" && left > 0;
process.exit(caught === possible.length && !mustRun ? 0 : 1);
