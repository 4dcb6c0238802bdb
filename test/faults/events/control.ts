/** Checks the checks: runs workers with one defect each, and requires that each check finds its defect. */
import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import path from "node:path";
import { makeEdits, type Planted } from "../../simulation/planted/edits.ts";
import { ROOT } from "../../simulation/planted/workspace.ts";
import { randomFrom } from "../../support/fixtures/random.ts";
import { Replicas } from "../replicas.ts";
import { BUDGET } from "./budget.ts";
import { FORGETS, LOSES } from "./defects.ts";
import { type RunResult, type RunSize, runEvents } from "./run.ts";
import type { EventWorld } from "./world.ts";

/** Files that a worker's process reads. */
const PARTS = ["src", "manifests", "certs", "package.json"];

/** Time in milliseconds after which unchanged results count as lost. It suffices here, because no queue outage delays events. */
const SETTLED_MS = 40_000;

/** Returns false if a check did not find its defect. */
export async function runControl(world: EventWorld): Promise<boolean> {
  const losing = await runPlanted(world, LOSES, { events: 700, kills: 0, handOvers: 1 });
  const { keys } = losing.budget.most;
  console.log(`control: ${LOSES.what}: ${losing.lost.length} lost, ${keys} requests for keys in 10 s of ${BUDGET.keys}`);
  const forgetting = await runPlanted(world, FORGETS, { events: 500, kills: 0, handOvers: 0 });
  const messages = forgetting.stuck.filter((one) => one.includes("message")).length;
  const classes = forgetting.stuck.length - messages;
  console.log(`control: ${FORGETS.what}: ${messages} messages and ${classes} classes stuck`);
  return losing.lost.length > 0 && losing.budget.isAbove && messages > 0 && classes > 0;
}

async function runPlanted(world: EventWorld, planted: Planted, size: RunSize): Promise<RunResult> {
  const folder = mkdtempSync(path.join(world.plane.directory, "planted-"));
  for (const part of PARTS) cpSync(path.join(ROOT, part), path.join(folder, part), { recursive: true });
  symlinkSync(path.join(ROOT, "node_modules"), path.join(folder, "node_modules"), "dir");
  makeEdits(folder, planted);
  const product = await world.productOf(path.join(folder, "src/main.ts"));
  const replicas = new Replicas(product);
  try {
    await replicas.start(2, world.args);
    return await runEvents({
      world,
      product,
      replicas,
      random: randomFrom(1),
      prefix: planted.id,
      size,
      troubles: [],
      settledMs: SETTLED_MS,
    });
  } finally {
    await replicas.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
