/**
 * `npm run prove-red [id …]`: shows that the regression test of a defect fails without its fix. For each commit with a trailer `Mends:
 * <id>`, it puts the commit's tests over the parent's code and runs them. Each must end in a failed assertion.
 */
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { extract, type Mend, readMends, testsOf } from "./mends.ts";
import { type Outcome, runRed } from "./run-red.ts";

const root = path.resolve(import.meta.dirname, "../..");

/** Folders from the fixing commit: the test suites, and the emulators and tools that they use. */
const JUDGES = ["test", "tools"];

/**
 * Runs the commit's tests and tools on the parent's code. If the fix was in a test tool itself, keeps the parent's tools and takes only the
 * test from the commit.
 */
async function outcomeOf({ commit }: Mend, id: string): Promise<Outcome> {
  const files = testsOf(commit, id);
  if (files.length === 0) return { kind: "absent" };
  const whole = await inParent(commit, JUDGES, (folder) => runRed(folder, files, id));
  if (whole.kind === "red") return whole;
  const alone = await inParent(commit, files, (folder) => runRed(folder, files, id));
  return alone.kind === "red" ? alone : whole;
}

async function inParent<T>(commit: string, judges: readonly string[], body: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(path.join(process.env["KEYVAULT_INJECTOR_STATE"] ?? tmpdir(), "prove-red-"));
  try {
    extract(`${commit}^`, folder);
    extract(commit, folder, ...judges);
    symlinkSync(path.join(root, "node_modules"), path.join(folder, "node_modules"), "dir");
    return await body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function describe(id: string, { commit }: Mend, outcome: Outcome): string {
  const where = `${id.padEnd(4)} ${commit.slice(0, 7)}`;
  switch (outcome.kind) {
    case "red":
      return `red     ${where} ${outcome.test}\n        ${outcome.assertion}`;
    case "broken":
      return `BROKEN  ${where} ${outcome.test}\n        no assertion: ${outcome.error}`;
    case "green":
      return `GREEN   ${where} ${outcome.test}`;
    case "absent":
      return `ABSENT  ${where} no test of that name ran`;
  }
}

const wanted = process.argv.slice(2);
let red = 0;
let all = 0;
for (const mend of readMends()) {
  for (const id of mend.ids.filter((each) => wanted.length === 0 || wanted.includes(each))) {
    const outcome = await outcomeOf(mend, id);
    all += 1;
    if (outcome.kind === "red") red += 1;
    console.log(describe(id, mend, outcome));
  }
}
console.log(`prove-red: ${red} of ${all} tests fail by an assertion without their mend`);
process.exitCode = red === all && all > 0 ? 0 : 1;
