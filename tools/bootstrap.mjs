// Entry point of every npm script. It is plain JavaScript without dependencies, so that Node 20 can start it on a fresh clone. It installs
// the locked packages, picks a Node version that the product supports, gets the control-plane binaries, and starts the task's script.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { cacheFolder, controlPlaneAssets } from "./bootstrap/control-plane-assets.mjs";
import { packagesDifference } from "./bootstrap/packages.mjs";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const MINIMUM_NODE = 24;

/**
 * The script of each task, and whether the task needs a control plane. `required`: the task fails without it. `wanted`: the bootstrap
 * downloads or builds it if possible. `cached`: the task uses it if it is in the cache already, and never waits for it. `none`: the task
 * does not use it. `hasHelp`: the task answers `--help` first, and needs nothing for that.
 */
const TASKS = {
  demo: { controlPlane: "required", run: ["test/demo/main.ts"], hasHelp: true },
  test: { controlPlane: "wanted", run: ["test/run-tests.ts", "all"] },
  check: { controlPlane: process.env.CI === "true" ? "wanted" : "cached", run: ["tools/check.ts"], hasHelp: true },
  "test:integration": { controlPlane: "wanted", run: ["test/run-tests.ts", "integration"] },
  "test:contract": { controlPlane: "wanted", run: ["test/run-tests.ts", "contract"] },
  "prove-red": { controlPlane: "wanted", run: ["tools/prove-red/main.ts"] },
  "test:practices": { controlPlane: "wanted", run: ["test/practices/main.ts"] },
  "test:e2e": { controlPlane: "wanted", run: ["test/run-tests.ts", "e2e"] },
  "test:nodes": { controlPlane: "wanted", run: ["test/run-tests.ts", "nodes"] },
  "test:install": { controlPlane: "wanted", run: ["test/run-tests.ts", "install"] },
  "test:faults": { controlPlane: "required", run: ["test/faults/main.ts"] },
  "test:events": { controlPlane: "required", run: ["test/faults/events/main.ts"], hasHelp: true },
  "test:hostile": { controlPlane: "required", run: ["test/hostile/main.ts"] },
  soak: { controlPlane: "required", run: ["test/soak/main.ts"] },
  sim: { controlPlane: "none", run: ["test/simulation/main.ts"] },
  "sim:compare": { controlPlane: "required", run: ["test/simulation/compare/main.ts"] },
  "sim:planted": { controlPlane: "none", run: ["test/simulation/planted/main.ts"] },
  "sim:found": { controlPlane: "none", run: ["test/simulation/found/main.ts"] },
  "sim:ci": { controlPlane: "none", run: ["test/simulation/ci.ts"] },
  "test:release": { controlPlane: "wanted", run: ["test/run-tests.ts", "release"] },
  "test:first-hour": { controlPlane: "wanted", run: ["test/run-tests.ts", "first-hour"] },
  "test:peers": { controlPlane: "wanted", run: ["test/run-tests.ts", "peers"] },
  "test:rights": { controlPlane: "wanted", run: ["test/run-tests.ts", "rights"] },
  "test:at-rest": { controlPlane: "required", run: ["test/at-rest.ts"] },
  // Without a vault the task only reports that it has none. The vault is on the Internet, so the task keeps the user's proxy.
  "test:live": { controlPlane: hasLiveVault() ? "required" : "none", run: ["test/live/main.ts"], keepsProxy: true },
  "bench:webhook": { controlPlane: "required", run: ["test/load/webhook/bench.ts"] },
  "bench:admission": { controlPlane: "required", run: ["test/load/admission/bench.ts"] },
  "bench:rolling": { controlPlane: "required", run: ["test/load/rolling-restart.ts"] },
  "bench:ready": { controlPlane: "required", run: ["test/load/ready.ts"] },
  // Runs in the user's folder with the user's environment: file names are relative to that folder, and the cluster is the user's.
  cli: { controlPlane: "none", run: ["src/main.ts"], keepsProxy: true, isVisitors: true },
  "convert:corpus": { controlPlane: "none", run: ["tools/convert-corpus/main.ts"], isVisitors: true },
  "bench:sync": { controlPlane: "required", run: ["test/load/sync/bench.ts"] },
  "bench:rotation": { controlPlane: "required", run: ["test/load/rotation/bench.ts"] },
  "bench:dashboard": { controlPlane: "required", run: ["test/load/dashboard/bench.ts"], hasHelp: true },
  pictures: { controlPlane: "required", run: ["test/pictures/main.ts"] },
  "control-plane": { controlPlane: "required", run: ["test/control-plane/main.ts"], hasHelp: true },
  build: { controlPlane: "none", run: ["tools/build.ts"] },
  // A push goes through the user's proxy.
  release: { controlPlane: "none", run: ["tools/release/main.ts"], keepsProxy: true },
  sbom: { controlPlane: "none", run: ["tools/release/sbom.ts"] },
  emulator: { controlPlane: "none", run: ["tools/key-vault-emulator/main.ts"] },
  site: { controlPlane: "none", run: ["tools/site/main.ts"] },
  prose: { controlPlane: "none", run: ["tools/prose/main.ts"] },
  reference: { controlPlane: "none", run: ["tools/reference/main.ts"] },
  "render-manifests": { controlPlane: "required", run: ["tools/render-manifests.ts"] },
};

function hasLiveVault() {
  return ["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZUREKEYVAULT_NAME"].every((name) => process.env[name]);
}

class Refusal extends Error {}

function installPackages() {
  const difference = packagesDifference(root);
  if (difference === undefined) return;
  process.stderr.write(`bootstrap: ${difference}: installing the locked packages (npm ci)\n`);
  const started = Date.now();
  // npm may run on Node 20 and warn about engines. The packages run on a newer Node only.
  const result = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error", "--ignore-scripts"], {
    cwd: root,
    // A program may read the standard output of the task.
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  if (result.status !== 0)
    throw new Refusal("npm ci failed (its output is above). Fix the network or the registry setting and run the same command again.");
  process.stderr.write(`bootstrap: packages installed in ${((Date.now() - started) / 1000).toFixed(1)} s\n`);
}

function pickNode() {
  if (Number(process.versions.node.split(".")[0]) >= MINIMUM_NODE) return process.execPath;
  const suffix = process.platform === "win32" ? "node.exe" : "node";
  const platform = process.platform === "win32" ? "win" : process.platform;
  const locked = path.join(root, "node_modules", `node-${platform}-${process.arch}`, "bin", suffix);
  if (existsSync(locked)) return locked;
  throw new Refusal(
    `Node ${MINIMUM_NODE} or newer is needed; this is ${process.version} and no locked binary exists for ${platform}-${process.arch}. Install Node ${MINIMUM_NODE} and run the same command again.`,
  );
}

/** The user's proxy is for npm and downloads. It must not apply to requests to the emulator or the API server. */
function environmentFor(node, { assets, stateDir, keepsProxy = false, isVisitors = false }) {
  const environment = { ...process.env };
  const isDropped = (name) => /^npm_/i.test(name) || (!keepsProxy && /^((https?|no|all|ftp)_proxy|node_extra_ca_certs)$/i.test(name));
  // `npm audit` in the gate needs these variables to query the registry.
  environment.KEYVAULT_INJECTOR_NPM_ENVIRONMENT = JSON.stringify(
    Object.fromEntries(Object.entries(process.env).filter(([name]) => isDropped(name))),
  );
  for (const name of Object.keys(environment)) if (isDropped(name)) delete environment[name];
  delete environment.NODE_OPTIONS;
  if (!isVisitors) delete environment.KUBECONFIG;
  environment.PATH = `${path.dirname(node)}${path.delimiter}${process.env.PATH ?? ""}`;
  // A run of the suites starts thousands of processes, and each strips types from hundreds of modules and compiles them.
  environment.NODE_COMPILE_CACHE ??= path.join(root, "node_modules", ".cache", "node-compile");
  environment.KEYVAULT_INJECTOR_STATE = stateDir;
  environment.KEYVAULT_INJECTOR_CACHE = cacheFolder();
  if (assets.kind === "ready") environment.KUBEBUILDER_ASSETS = assets.folder;
  else if (assets.kind === "missing") environment.KEYVAULT_INJECTOR_NO_CONTROL_PLANE = assets.why;
  return environment;
}

async function main() {
  const [taskName, ...args] = process.argv.slice(2);
  const task = Object.hasOwn(TASKS, taskName ?? "") ? TASKS[taskName] : undefined;
  if (task === undefined) throw new Refusal(`unknown task ${JSON.stringify(taskName ?? "")}; known: ${Object.keys(TASKS).join(", ")}`);
  installPackages();
  const node = pickNode();
  const isHelpWanted = task.hasHelp === true && args.some((word) => word === "--help" || word === "-h");
  const assets =
    isHelpWanted || task.controlPlane === "none"
      ? { kind: "unneeded" }
      : await controlPlaneAssets(root, { onlyCached: task.controlPlane === "cached" });
  if (task.controlPlane === "required" && assets.kind === "missing") throw new Refusal(assets.why);
  const stateDir = mkdtempSync(path.join(tmpdir(), "keyvault-injector-"));
  if (!task.isVisitors && !isHelpWanted)
    process.stderr.write(`bootstrap: ready after ${process.uptime().toFixed(1)} s; state ${stateDir}, cache ${cacheFolder()}\n`);
  const child = spawn(node, [...task.run.map((part, index) => (index === 0 ? path.join(root, part) : part)), ...args], {
    cwd: task.isVisitors ? (process.env.INIT_CWD ?? root) : root,
    stdio: "inherit",
    env: environmentFor(node, { ...task, assets, stateDir }),
  });
  // The child receives the terminal's signals itself. The handlers keep the parent alive until it has cleaned up.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => {
    rmSync(stateDir, { recursive: true, force: true });
    process.exit(code ?? (signal === null ? 1 : 128));
  });
}

main().catch((error) => {
  process.stderr.write(`bootstrap: ${error instanceof Refusal ? error.message : error.stack}\n`);
  process.exit(1);
});
