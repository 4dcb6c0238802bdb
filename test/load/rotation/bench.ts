/**
 * `npm run bench:rotation`: measures the time from a new version of a vault's object to its Secret: with push, without push, and with
 * External Secrets Operator on the same emulator and the same Secrets. Prints figures, ratios and which targets are met. A missed target is
 * not an error.
 *
 *   npm run bench:rotation -- [--secrets 10000] [--rotations 1000] [--rate 10] [--seed 1] [--rest 60] [--watch 200]
 *                             [--only worker|operator] [--patience 900] [--keep <folder>]
 *
 * `--rate` is the number of rotations per second. For a contestant that polls, the rotations take at least one interval. `--rest` is how
 * long transactions without a rotation are counted, `--watch` how long External Secrets is watched at its default interval after the last
 * rotation, `--patience` the longest wait for one thing, all in seconds. `--keep` stores a CPU profile of each of our processes there, and
 * every program's output.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { spawnEmulator } from "../../../tools/key-vault-emulator/spawn.ts";
import { programRefusal } from "../../e2e/support/binaries.ts";
import { builtProduct } from "../../support/cluster/built-product.ts";
import { azuriteRefusal } from "../../support/events/azurite.ts";
import { describeMachine } from "../other-load.ts";
import { meterVaults } from "../sync/vault-meter.ts";
import { createVaults } from "../sync/vaults.ts";
import { startEventQueue } from "./event-queue.ts";
import type { Measured } from "./measured.ts";
import { runOperator } from "./operator.ts";
import { compared, describe, targets } from "./report.ts";
import { type Contestant, readSettings } from "./settings.ts";
import { runWorker } from "./worker.ts";

async function run(): Promise<void> {
  const settings = readSettings();
  const refusal = azuriteRefusal();
  if (refusal !== undefined) throw new Error(refusal);
  if (settings.keep !== undefined) mkdirSync(settings.keep, { recursive: true });
  const folder = mkdtempSync(path.join(process.env["KEYVAULT_INJECTOR_STATE"] ?? tmpdir(), "bench-rotation-"));
  const stateDir = path.join(folder, "emulator");
  console.log(describeMachine());
  const emulator = await spawnEmulator(stateDir);
  const meter = meterVaults(emulator);
  const vaults = await createVaults(emulator);
  const queue = await startEventQueue(vaults, stateDir);
  try {
    const all: Measured[] = [];
    const onMeasured = (measured: Measured): void => {
      all.push(measured);
      console.log(`\n${describe(measured)}`);
    };
    const ground = { settings, vaults, meter };
    const isMeasured = (one: Contestant): boolean => settings.contestants.includes(one);
    if (isMeasured("worker")) {
      const build = await builtProduct(path.join(folder, "image"));
      await runWorker({ ...ground, build, queue }, onMeasured);
    }
    if (isMeasured("operator")) {
      const missing = programRefusal(["external-secrets"]);
      if (missing === undefined) await runOperator(ground, onMeasured);
      else console.log(`\nSKIPPED: External Secrets Operator: ${missing}`);
    }
    if (isMeasured("worker")) conclude(all);
  } finally {
    await meter.stop();
    await queue.stop();
    await emulator.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function conclude([push, ...others]: readonly Measured[]): void {
  if (push === undefined) return;
  console.log("");
  for (const other of others) console.log(compared(push, other));
  for (const target of targets(push)) console.log(target);
}

await run();
