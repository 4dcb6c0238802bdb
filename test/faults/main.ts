/**
 * `npm run test:faults`: applies every fault to three cells of 50 Secrets under continuous rotation. Uses a real API server, with two
 * replicas of the worker with their own ServiceAccount. One strike hits the first cell in its first sync, the second at rest, and the third
 * mid-rotation. Each result counts.
 *
 * node test/faults/main.ts [a world, or part of a fault's name ...]
 *
 * Needs KUBEBUILDER_ASSETS. Exits with code 1 if anything was lost or written twice, if the control found no loss, or if a whole run had
 * fewer than 30 faults.
 */
import { parseArgs } from "node:util";
import { compileProgram } from "../support/cluster/built-product.ts";
import { runControl } from "./control.ts";
import { apiServerFaults } from "./families/api-server.ts";
import { bystanderFaults } from "./families/bystander.ts";
import { identityFaults } from "./families/identity.ts";
import { leaderFaults } from "./families/leader.ts";
import { networkFaults } from "./families/network.ts";
import { outageFaults } from "./families/outage.ts";
import { secretFaults } from "./families/secrets.ts";
import { stateFaults } from "./families/state.ts";
import { throttlingFaults } from "./families/throttling.ts";
import type { Fault, FaultResult } from "./fault.ts";
import { PHASES } from "./fault.ts";
import { openLane, runFault } from "./run-fault.ts";
import { type FaultWorld, startFaultWorld } from "./world.ts";

const LEAST = 30;

/** Lanes run at the same time in one world, because their faults use different vaults and namespaces. */
type World = readonly [name: string, lanes: readonly (readonly Fault[])[]];

/** Two cores can run three worlds at a time. The worlds of one row run one after the other. */
const ROWS: readonly (readonly World[])[] = [
  [["vaults", [throttlingFaults, networkFaults, identityFaults, secretFaults]]],
  [
    ["leader", [leaderFaults]],
    ["neighbours", [bystanderFaults]],
  ],
  [
    ["API server", [apiServerFaults]],
    ["state", [[...stateFaults, ...outageFaults]]],
  ],
];

/** World in which the control checks the checks, after its faults. */
const CONTROLLED = "state";

const { positionals: wanted } = parseArgs({ allowPositionals: true });
const isWanted = (world: string, { name }: Fault): boolean =>
  wanted.length === 0 || wanted.some((part) => part === world || name.includes(part));

async function runRow(worlds: readonly World[]): Promise<readonly FaultResult[]> {
  const results: FaultResult[] = [];
  for (const [name, lanes] of worlds) results.push(...(await runWorld(name, lanes)));
  return results;
}

async function runWorld(name: string, lanes: readonly (readonly Fault[])[]): Promise<readonly FaultResult[]> {
  const chosen = lanes.map((faults) => faults.filter((fault) => isWanted(name, fault))).filter((faults) => faults.length > 0);
  if (chosen.length === 0) return [];
  const world = await startFaultWorld();
  try {
    const results = await Promise.all(
      chosen.map(async (faults) => {
        const lane = await openLane(world);
        const ofLane: FaultResult[] = [];
        for (const fault of faults) ofLane.push(reported(await tried(fault, () => runFault(lane, fault))));
        return ofLane;
      }),
    );
    if (name === CONTROLLED) await tellControl(world);
    return results.flat();
  } finally {
    await world.stop();
  }
}

/** A fault that could not be applied counts as not survived. */
async function tried(fault: Fault, run: () => Promise<FaultResult>): Promise<FaultResult> {
  try {
    return await run();
  } catch (error) {
    const problems = [error instanceof Error ? error.message : String(error)];
    const phases = PHASES.map((phase) => ({ phase, seconds: undefined, problems }));
    return { fault: fault.name, phases, evidence: "none", rotations: 0, revisions: 0, writes: 0 };
  }
}

function reported(result: FaultResult): FaultResult {
  const { fault, phases, evidence, revisions, writes } = result;
  const seconds = phases.map((one) => `${one.phase} ${one.seconds === undefined ? "LOST" : `${one.seconds.toFixed(1)} s`}`).join(", ");
  console.log(`fault: ${fault}: ${seconds} | ${evidence} | ${writes} writes, ${revisions} stored`);
  for (const { phase, problems } of phases) for (const problem of problems.slice(0, 5)) console.log(`  ${phase}: ${problem}`);
  return result;
}

let isControlled = false;

async function tellControl(world: FaultWorld): Promise<void> {
  try {
    console.log(await runControl(await openLane(world)));
    isControlled = true;
  } catch (error) {
    console.log(`control: ${error instanceof Error ? error.message : String(error)}`);
  }
}

await compileProgram();
const started = performance.now();
const results = (await Promise.all(ROWS.map(runRow))).flat();
const cases = results.flatMap(({ phases }) => phases);
const lost = cases.filter(({ seconds, problems }) => seconds === undefined || problems.length > 0).length;
const isWhole = wanted.length === 0;
console.log(`faults: ${results.length} in ${((performance.now() - started) / 1_000).toFixed(0)} s, each in ${PHASES.length} phases`);
console.log(`${cases.length - lost} passed, ${lost} failed`);
if (isControlled) console.log("control: losses seen");
console.log(`${cases.length - lost} faults survived, ${lost} lost`);
process.exitCode = lost > 0 || (isWhole && (cases.length < LEAST || !isControlled)) ? 1 : 0;
