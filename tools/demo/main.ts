// `npm run demo`: the main job on a real API server, step by step, each checked with kubectl and the vault's request log.
// With `--node` on a real node, where the pods run.
import { parseArgs } from "node:util";
import { untilInterrupted } from "../until-interrupted.ts";
import { steps } from "./steps.ts";
import { startWorld, type World } from "./world.ts";

const flag = { type: "boolean", default: false } as const;
const { values } = parseArgs({ options: { keep: flag, node: flag }, allowPositionals: false });

const seconds = (from: number): string => `${((performance.now() - from) / 1_000).toFixed(1)} s`;

async function runSteps(world: World): Promise<number> {
  let done = 0;
  for (const [index, step] of steps.entries()) {
    const from = performance.now();
    try {
      const lines = await step.run(world);
      console.log(`\n${index + 1} ${step.title} (${seconds(from)})`);
      for (const line of lines) console.log(`  ${line}`);
      done += 1;
    } catch (error) {
      console.log(
        `\n${index + 1} ${step.title}: FAILED after ${seconds(from)}\n  ${error instanceof Error ? error.message : String(error)}`,
      );
      for (const running of [world.webhook, world.sync]) console.log(`\nlast lines of ${running.role}:\n${running.log().slice(-3_000)}`);
      break;
    }
  }
  return done;
}

async function keepRunning(world: World): Promise<void> {
  console.log("\nIt keeps running until Ctrl-C. To try things by hand, in another terminal:");
  console.log(`  export KUBECONFIG=${world.plane.kubeconfigPath}`);
  console.log(`  export KEY_VAULT_EMULATOR_DIR=${world.emulatorDir}`);
  console.log(`  npm run emulator -- secret set ${world.names.vault} DemoSecret another-value`);
  await untilInterrupted();
}

async function runDemo(): Promise<number> {
  const started = performance.now();
  const world = await startWorld(({ name, milliseconds }) => console.log(`+ ${name} (${(milliseconds / 1_000).toFixed(1)} s)`));
  try {
    const done = await runSteps(world);
    if (values.keep) await keepRunning(world);
    console.log(`\ndemo: ${done}/${steps.length} steps in ${seconds(started)}`);
    console.log("No node runs here, so no pod starts. This shows a pod that reads the file:");
    console.log("  npm run demo -- --node");
    return done === steps.length ? 0 : 1;
  } finally {
    await world.stop();
  }
}

// The node's half loads what installs it: only where it is asked for.
process.exitCode = values.node ? await (await import("./node.ts")).runNodeDemo(values) : await runDemo();
