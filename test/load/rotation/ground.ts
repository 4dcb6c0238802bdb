import { cpSync, readdirSync } from "node:fs";
import path from "node:path";
import type { Launched } from "../launch.ts";
import type { Arrival } from "../sync/secret-watch.ts";
import type { Stage } from "../sync/stage.ts";
import type { VaultMeter } from "../sync/vault-meter.ts";
import type { BenchVaults } from "../sync/vaults.ts";
import type { Settings } from "./settings.ts";

/** Everything that all contestants share. */
export interface Ground {
  readonly settings: Settings;
  readonly vaults: BenchVaults;
  readonly meter: VaultMeter;
}

/** Starts the contestant and waits until every Secret has its value. Throws if one does not get it: then nothing can be measured. */
export async function firstSync(stage: Stage, { patienceMs }: Settings, flags: readonly string[]): Promise<Launched> {
  stage.secrets.expect(stage.objects);
  const began = Date.now();
  const process = await stage.start({ flags });
  const { seenAt, isComplete } = await arrivedWhileRunning(stage, process, patienceMs);
  if (!isComplete)
    throw new Error(`${stage.contestant.name}: ${seenAt.size} of ${stage.objects.length} Secrets after ${patienceMs / 1_000} s`);
  console.log(`${stage.contestant.name}: ${stage.objects.length} Secrets after ${((Date.now() - began) / 1_000).toFixed(1)} s`);
  return process;
}

/**
 * Waits for the Secrets. Throws with the end of the process's output if the process ends first. A worker that cannot renew its lease ends,
 * and nothing restarts it here.
 */
export async function arrivedWhileRunning({ secrets, contestant }: Stage, process: Launched, withinMs: number): Promise<Arrival> {
  const ended = process.ended.then((code) => {
    throw new Error(`${contestant.name} ended with ${code} while it was measured\n${process.said()}`);
  });
  return Promise.race([secrets.arrived(withinMs), ended]);
}

/** Copies the programs' output to the folder of `--keep`. */
export function keepLogs({ keep }: Settings, name: string, folder: string): void {
  if (keep === undefined) return;
  for (const log of readdirSync(folder).filter((file) => file.endsWith(".log") && file !== "audit.log"))
    cpSync(path.join(folder, log), path.join(keep, `${name.replaceAll(/\W+/g, "-")}-${log}`));
}
