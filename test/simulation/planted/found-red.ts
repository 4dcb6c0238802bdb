/** Whether what the simulation has found holds today, and shows the defect where that is put back. */
import { spawnSync } from "node:child_process";
import path from "node:path";
import { FOUND } from "../found/found.ts";
import { DEFECTS } from "./defects.ts";
import { makeEdits } from "./edits.ts";
import { copyWorkspace } from "./workspace.ts";

/** Milliseconds; one takes a few seconds. */
const LONGEST_MS = 600_000;

function holdsIn(folder: string, planted: string): boolean {
  const { status } = spawnSync(process.execPath, [path.join(folder, "test/simulation/found/main.ts"), planted], { timeout: LONGEST_MS });
  return status === 0;
}

export function foundAreRed(): boolean {
  let red = 0;
  for (const { name, planted } of FOUND) {
    const defect = DEFECTS.find(({ id }) => id === planted);
    if (defect === undefined) throw new Error(`what was found shows ${planted}, which is no planted defect`);
    const workspace = copyWorkspace();
    try {
      const holds = holdsIn(workspace.folder, planted);
      makeEdits(workspace.folder, defect);
      const isRed = holds && !holdsIn(workspace.folder, planted);
      if (isRed) red += 1;
      console.log(`${isRed ? "red  " : holds ? "GREEN" : "FAILS"} ${planted.padEnd(4)} ${name}`);
    } finally {
      workspace.remove();
    }
  }
  console.log(`${red}/${FOUND.length} of what was found hold, and are red with their defect`);
  return red === FOUND.length;
}
