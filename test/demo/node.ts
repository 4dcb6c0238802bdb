// `npm run demo -- --node`: a real node with everything installed as shipped, the documentation's commands typed one by
// one, then a pod with two annotations instead of a volume.

import { untilInterrupted } from "../../tools/until-interrupted.ts";
import { ANNOTATED, ANNOTATED_POD, DOCUMENT, DOCUMENT_POD, type Walk } from "../e2e/support/document-walk.ts";
import { realNodeRefusal } from "../e2e/support/node.ts";
import { startWorld, VAULT, type World } from "../e2e/support/world.ts";

interface Step {
  readonly title: string;
  readonly commands: readonly string[];
  /** Pod that the commands create. The step waits until it is ready. */
  readonly pod?: string;
}

const STEPS: readonly Step[] = [
  { title: "the documentation's credentials and class", commands: [...DOCUMENT.credentials, DOCUMENT.class] },
  { title: "the documentation's pod, its volume written out", commands: [DOCUMENT.pod], pod: DOCUMENT_POD },
  { title: "what it sees", commands: [DOCUMENT.list, DOCUMENT.read] },
  { title: "a pod with two annotations and no volume", commands: ["cat pod-annotated.yaml", ANNOTATED.pod], pod: ANNOTATED_POD },
];

const VALUE = "MyExampleSecret";

/** Exit code of the demo. */
export async function runNodeDemo({ keep }: { readonly keep: boolean }): Promise<number> {
  const refusal = await realNodeRefusal();
  if (refusal !== undefined) {
    console.error(`demo: ${refusal}`);
    console.error("demo: without --node it shows everything but the running pods, on an API server alone: npm run demo");
    return 1;
  }
  const started = performance.now();
  const elapsed = (): string => `${((performance.now() - started) / 1_000).toFixed(1)} s`;
  const world = await startWorld((line) => console.log(`+ ${line} (${elapsed()})`));
  try {
    for (const [index, step] of STEPS.entries()) await show(world.walk, index + 1, step);
    const secret = await world.walk.type(ANNOTATED.read);
    if (secret !== VALUE) throw new Error(`the annotated pod reads ${JSON.stringify(secret)} instead of ${VALUE}`);
    const took = elapsed();
    if (keep) await keepRunning(world);
    console.log(`\ndemo: ${STEPS.length + 1}/${STEPS.length + 1} steps in ${took}; the annotated pod's secret, read in the pod:`);
    console.log(`$ ${ANNOTATED.read}\n${secret}`);
    return 0;
  } catch (error) {
    console.error(`\ndemo: FAILED after ${elapsed()}: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  } finally {
    await world.stop();
  }
}

/** Prints the command with its placeholders: their values are specific to this run, and one of them is a password. */
async function show(walk: Walk, number: number, { title, commands, pod }: Step): Promise<void> {
  console.log(`\n${number} ${title}`);
  for (const command of commands) {
    console.log(`$ ${command}`);
    console.log((await walk.type(command)).trimEnd());
  }
  if (pod !== undefined) await walk.ready(pod);
}

async function keepRunning({ node, emulatorDir }: World): Promise<void> {
  console.log("\nIt keeps running until Ctrl-C. To try things by hand, in another terminal:");
  console.log(`  export PATH=${process.env["KUBEBUILDER_ASSETS"] ?? ""}:$PATH`);
  console.log(`  export KUBECONFIG=${node.kubeconfigPath}`);
  console.log(`  export KEY_VAULT_EMULATOR_DIR=${emulatorDir}`);
  console.log(`  ${ANNOTATED.read}`);
  console.log(`  npm run emulator -- secret set ${VAULT} DemoSecret another-value`);
  await untilInterrupted();
}
