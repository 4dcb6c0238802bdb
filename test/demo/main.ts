// `npm run demo`: does the main job on a real API server, step by step, and checks each step with kubectl and the vault's request log.
// `--node` uses a real node that runs the pods. `--api-server=1.34` uses the older supported API server.
import path from "node:path";
// @ts-expect-error -- plain JavaScript without declarations: it runs on Node 20, before anything is installed.
import { olderApiServer } from "../../tools/bootstrap/control-plane-assets.mjs";
import { scriptArguments } from "../../tools/script-arguments.ts";
import { untilInterrupted } from "../../tools/until-interrupted.ts";
import { API_SERVER_VERSIONS, type ApiServerVersion } from "../support/cluster/api-server-versions.ts";
import { mirroredManifest, steps } from "./steps.ts";
import { startWorld, type World } from "./world.ts";

const flag = { type: "boolean", default: false } as const;
const { values } = scriptArguments(
  `npm run demo -- [--keep] [--node] [--api-server=${API_SERVER_VERSIONS.join("|")}]`,
  {
    options: { keep: flag, node: flag, "api-server": { type: "string", default: API_SERVER_VERSIONS[0] } },
    allowPositionals: false,
  },
  [
    "",
    "Demonstrates the main features on a real API server and a Key Vault emulator, and checks each step.",
    "",
    "  --keep        leave the demo running until Ctrl-C",
    "  --node        instead, show how a pod reads its secret on a real node (Linux, as root)",
    `  --api-server  the version of Kubernetes; default ${API_SERVER_VERSIONS[0]}`,
  ],
);

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

const NO_NODE = ["No node runs here, so no pod starts. This shows a pod that reads the file:", "  npm run demo -- --node"];

async function keepRunning(world: World): Promise<void> {
  for (const line of NO_NODE) console.log(line);
  // The last step deleted the class whose Secret follows the vault.
  await world.kubectl(["apply", "-f", "-"], mirroredManifest(world));
  console.log("\nIt keeps running until Ctrl-C. To try things by hand, in another terminal:");
  console.log(`  export PATH=${process.env["KUBEBUILDER_ASSETS"] ?? ""}:$PATH`);
  console.log(`  export KUBECONFIG=${world.plane.kubeconfigPath}`);
  console.log(`  export KEY_VAULT_EMULATOR_DIR=${world.emulatorDir}`);
  console.log(`  npm run emulator -- secret set ${world.names.vault} DemoSecret another-value`);
  console.log(`  kubectl get secret ${world.names.mirroredSecret} --watch    # changes within 10 seconds`);
  await untilInterrupted();
}

/** Returns the requested version. Downloads it if it is not the bootstrap's version. Throws if it is not available. */
async function apiServer(): Promise<ApiServerVersion> {
  const version = API_SERVER_VERSIONS.find((known) => known === values["api-server"]);
  if (version === undefined) throw new Error(`--api-server is ${values["api-server"]}; known: ${API_SERVER_VERSIONS.join(", ")}`);
  if (version === API_SERVER_VERSIONS[0]) return version;
  const root = path.resolve(import.meta.dirname, "../..");
  const found = (await olderApiServer(root, { onlyCached: false })) as { readonly why?: string }; // As its comment says.
  if (found.why !== undefined) throw new Error(found.why);
  return version;
}

async function runDemo(): Promise<number> {
  const started = performance.now();
  const world = await startWorld(await apiServer(), ({ name, milliseconds }) =>
    console.log(`+ ${name} (${(milliseconds / 1_000).toFixed(1)} s)`),
  );
  try {
    const done = await runSteps(world);
    if (values.keep) await keepRunning(world);
    console.log(`\ndemo: ${done}/${steps.length} steps in ${seconds(started)}`);
    if (!values.keep) for (const line of NO_NODE) console.log(line);
    return done === steps.length ? 0 : 1;
  } finally {
    await world.stop();
  }
}

// Loads the node part only on request: it imports the code that installs a node.
process.exitCode = values.node ? await (await import("./node.ts")).runNodeDemo(values) : await runDemo();
