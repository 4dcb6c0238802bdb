import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, rmdirSync } from "node:fs";
import path from "node:path";
import { after, before, describe } from "node:test";
import { type RunningProcess, startProcess } from "../support/processes/process.ts";
import { eventually } from "../support/time/eventually.ts";
import { accountScenarios } from "./scenarios/accounts.ts";
import { documentScenarios } from "./scenarios/document.ts";
import { driverSyncScenarios } from "./scenarios/driver-sync.ts";
import { conductScenarios, footprintScenarios } from "./scenarios/footprint.ts";
import { identityScenarios } from "./scenarios/identities.ts";
import { lifeCycleScenarios } from "./scenarios/life-cycle.ts";
import { mirroringScenarios } from "./scenarios/mirroring.ts";
import { mountedRolloutScenarios } from "./scenarios/mounted-rollout.ts";
import { nodeSideScenarios } from "./scenarios/node-side.ts";
import { outageScenarios } from "./scenarios/outage.ts";
import { policyModeScenarios } from "./scenarios/policy-mode.ts";
import { restartScenarios } from "./scenarios/restarts.ts";
import { rolloutScenarios } from "./scenarios/rollout.ts";
import { upstreamDriverScenarios } from "./scenarios/upstream-driver.ts";
import { upstreamProviderScenarios } from "./scenarios/upstream-provider.ts";
import { workloadScenarios } from "./scenarios/workloads.ts";
import { mountPoints } from "./support/cgroups.ts";
import { type HostState, leftoversOf, readState, removeStaleRuns } from "./support/host-state.ts";
import { realNodeRefusal } from "./support/node.ts";
import { PRIVATE_FOLDERS } from "./support/node-layout.ts";
import { nodeState } from "./support/node-state.ts";
import { scenarios, seconds, skipUnless } from "./support/scenarios.ts";
import { startWorld, type World } from "./support/world.ts";

const skip = skipUnless(await realNodeRefusal());
let world: World | undefined;
const scenario = scenarios(async () => (world === undefined ? "" : nodeState(world.node)));

describe("a real node", { skip }, () => {
  let starting: Promise<World> | undefined;
  const opened = (): World => {
    assert.ok(world, "the node did not start: see the first failure");
    return world;
  };

  before(async () => {
    const started = performance.now();
    starting = startWorld((line) => console.log(`node: ${seconds(started)}: ${line}`));
    world = await starting;
  });

  // Also stops a node whose start no scenario awaits any more, because its processes would keep this process alive.
  after(async () => {
    await (await starting?.catch(() => undefined))?.stop();
  });

  // One node for all scenarios, in this order, because a start takes a quarter of a minute.
  documentScenarios(scenario, opened);
  workloadScenarios(scenario, opened);
  nodeSideScenarios(scenario, opened);
  mirroringScenarios(scenario, opened);
  rolloutScenarios(scenario, opened);
  mountedRolloutScenarios(scenario, opened);
  driverSyncScenarios(scenario, opened);
  identityScenarios(scenario, opened);
  lifeCycleScenarios(scenario, opened);
  restartScenarios(scenario, opened);
  accountScenarios(scenario, opened);
  upstreamDriverScenarios(scenario, opened);
  upstreamProviderScenarios(scenario, opened);
  footprintScenarios(scenario, opened);
  outageScenarios(scenario, opened);
  conductScenarios(scenario, opened);
  policyModeScenarios(scenario, opened);

  scenario.run("nothing is left on the machine when the node stops", async () => {
    const { node } = opened();
    assert.notDeepEqual(node.leftovers(), [], "a running node is seen by the check");

    await opened().stop();
    assert.deepEqual(node.leftovers(), []);

    // The control plants one harmless leftover of two kinds: a control group and a process.
    const cgroup = path.join(cgroupMount(), path.basename(node.directory));
    mkdirSync(cgroup);
    const sleeper = startProcess(spawn("sleep", ["60"], { argv0: node.directory }), "sleeper");
    assert.match((await eventually(() => twoLines(node.leftovers()))).join("\n"), /process \d+ .*\n.*cgroup /);
    await sleeper.stop();
    rmdirSync(cgroup);
    assert.deepEqual(node.leftovers(), []);
  });
});

describe("a node whose process is killed", { skip }, () => {
  scenario.run("takes everything with it, and the next run tidies up its files", async () => {
    const victim = await openNode();
    const { directory, state, identity } = victim;
    assert.match(leftoversOf(state, identity).join("\n"), /process \d+ sleep 1000/);

    await kill(victim);
    assert.ok(existsSync(directory), "the killed process could not remove its files");

    assert.deepEqual(await removeStaleRuns(), [path.basename(directory)]);
    assert.deepEqual(leftoversOf(state, identity), []);
  });

  scenario.run("leaves the mount points to the node beside it, which takes them with it", async () => {
    const first = await openNode();
    const second = await openNode();
    const existing = (): readonly string[] => PRIVATE_FOLDERS.filter((folder) => existsSync(folder));
    assert.deepEqual(existing(), PRIVATE_FOLDERS);

    await kill(first);
    await removeStaleRuns();
    assert.deepEqual(existing(), PRIVATE_FOLDERS);
    assert.deepEqual(leftoversOf(first.state, first.identity), []);

    await kill(second);
    await removeStaleRuns();
    assert.deepEqual(leftoversOf(second.state, second.identity), []);
    assert.deepEqual(leftoversOf(first.state, first.identity), []);
  });
});

interface OpenedNode {
  readonly process: RunningProcess;
  readonly directory: string;
  readonly state: HostState;
  readonly identity: string;
}

/** Opens a node in a separate process, which a test can kill. */
async function openNode(): Promise<OpenedNode> {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, "support", "open-node-and-wait.ts")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [directory = "", identity = ""] = (await firstLine(child.stdout)).split(" ");
  const state = readState(directory);
  assert.ok(state);
  return { process: startProcess(child, "opened node"), directory, state, identity };
}

async function kill({ process: { child, exited }, state, identity }: OpenedNode): Promise<void> {
  child.kill("SIGKILL");
  await exited;
  await eventually(() => !leftoversOf(state, identity).some((line) => line.startsWith("process")), { what: "the end of all processes" });
}

function twoLines(lines: readonly string[]): readonly string[] | undefined {
  return lines.length >= 2 ? lines : undefined;
}

function cgroupMount(): string {
  const [first] = mountPoints();
  assert.ok(first);
  return first;
}

async function firstLine(stream: NodeJS.ReadableStream): Promise<string> {
  for await (const chunk of stream) return String(chunk).trim();
  throw new Error("it ended without a line");
}
