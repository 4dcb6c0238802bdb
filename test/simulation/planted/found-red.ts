/** Checks that each scenario of `found.ts` passes on today's code, and fails with its defect. */
import { spawnSync } from "node:child_process";
import path from "node:path";
import { FOUND } from "../found/found.ts";
import { DEFECTS } from "./defects.ts";
import { makeEdits } from "./edits.ts";
import { copyWorkspace } from "./workspace.ts";

/** Maximum time of a scenario in milliseconds. It usually takes a few seconds. */
const LONGEST_MS = 600_000;

/** Plays the scenarios of a defect in a copy. `broken`: the run neither passed nor failed, so it shows nothing about the worker. */
function outcomeIn(folder: string, planted: string): "holds" | "fails" | "broken" {
  const script = path.join(folder, "test/simulation/found/main.ts");
  const { status, stdout } = spawnSync(process.execPath, [script, planted], { timeout: LONGEST_MS, encoding: "utf8" });
  if (status === 0) return "holds";
  return stdout.includes("FAILS") ? "fails" : "broken";
}

/** Checks the scenarios of the defects in `only`, or all scenarios if it is empty. */
export function foundAreRed(only: readonly string[]): boolean {
  const wanted = FOUND.filter(({ planted }) => only.length === 0 || only.includes(planted));
  let red = 0;
  for (const { name, planted } of wanted) {
    const defect = DEFECTS.find(({ id }) => id === planted);
    if (defect === undefined) throw new Error(`what was found shows ${planted}, which is no planted defect`);
    const workspace = copyWorkspace();
    try {
      const before = outcomeIn(workspace.folder, planted);
      makeEdits(workspace.folder, defect);
      const after = outcomeIn(workspace.folder, planted);
      if (before === "holds" && after === "fails") red += 1;
      console.log(`${planted.padEnd(4)} ${before}, and ${after} with its defect: ${name}`);
    } finally {
      workspace.remove();
    }
  }
  console.log(`${red}/${wanted.length} of what was found hold, and are red with their defect`);
  return red === wanted.length;
}
