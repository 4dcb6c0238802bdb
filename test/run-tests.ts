// `npm test` and its parts: runs node:test with the files of a layer. A suite that cannot run here is skipped with its reason and counted.
// It fails the run if CI=true.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
// @ts-expect-error -- plain JavaScript without declarations: it runs on Node 20, before anything is installed.
import { olderApiServer } from "../tools/bootstrap/control-plane-assets.mjs";
import { LANES, type Layer, testFiles } from "../tools/test-files.ts";
import { builtProgram, nodeBinaries, programRefusal } from "./e2e/support/binaries.ts";
import { compileProgram } from "./support/cluster/built-product.ts";
import { HELM_VERSIONS } from "./support/cluster/helm.ts";
import { prepareChromium } from "./support/dashboard/chromium.ts";

const LAYERS: Readonly<Record<string, readonly Layer[]>> = {
  all: ["unit", "property", "contract", "integration"],
  integration: ["integration"],
  contract: ["contract"],
  e2e: ["e2e"],
  install: ["install"],
  // In parallel: each mostly waits.
  nodes: ["e2e", "install"],
  // Separate, because it builds cosign and whole releases.
  release: ["release"],
  // Separate, because it builds a release and starts a node for each install method.
  "first-hour": ["first-hour"],
  // Separate, because it builds External Secrets.
  peers: ["peers"],
  // Reads the records of the suites before it, for example of `npm test`.
  rights: ["rights"],
};

const CONCURRENCY: Readonly<Record<string, number>> = { e2e: 1, install: 1, nodes: 2, release: 1, "first-hour": 1 };
/**
 * Time limit of a file in milliseconds. One file tests the life of four installs, which takes almost a quarter of an hour on an idle
 * machine. The test with the real node takes ten minutes, and on a new machine it first builds the driver, the provider and the kubelet.
 */
const TIMEOUT_MS: Readonly<Record<string, number>> = {
  e2e: 2_400_000,
  install: 1_500_000,
  nodes: 2_400_000,
  release: 1_500_000,
  "first-hour": 1_500_000,
  peers: 1_500_000,
};

/**
 * Time limit of every other file in milliseconds. The longest takes five minutes, and on a new machine a file may first build the program
 * that it compares with.
 */
const MOST_MS = 1_200_000;

const REPORTERS = ["spec", path.join(import.meta.dirname, "layer-times.ts")].flatMap((reporter) => [
  `--test-reporter=${reporter}`,
  "--test-reporter-destination=stdout",
]);

const [group = "all", ...only] = process.argv.slice(2);
const layers = LAYERS[group];
if (layers === undefined) {
  console.error(`run-tests: unknown group ${JSON.stringify(group)}; known: ${Object.keys(LAYERS).join(", ")}`);
  process.exit(2);
}
const files = testFiles(layers).filter((file) => only.length === 0 || only.some((part) => file.includes(part)));
if (files.length === 0) {
  console.error(`run-tests: no test file of ${group} matches ${only.join(" ")}`);
  process.exit(2);
}

await getOlderApiServer();
await getHelm();
// Build before the files start: on a new machine, a build would take most of a file's time limit.
for (const program of ["cosign", "external-secrets", "promtool"] as const) await buildIfNamed(program);
await buildFlux();
await buildNode();
if (isNamed("/support/dashboard/chromium.ts")) prepareChromium();
if (isWhole(layers)) {
  await compileProgram();
  // The API servers use half of the CPU time of such a run, and a fifth of that time for garbage collection. With a larger heap they use a
  // twelfth less.
  process.env["GOGC"] ??= "400";
}
const started = performance.now();
const child = spawn(
  process.execPath,
  ["--test", ...REPORTERS, `--test-concurrency=${CONCURRENCY[group] ?? LANES}`, `--test-timeout=${TIMEOUT_MS[group] ?? MOST_MS}`, ...files],
  { cwd: path.resolve(import.meta.dirname, ".."), stdio: ["ignore", "pipe", "inherit"] },
);
const skipped: string[] = [];
createInterface({ input: child.stdout }).on("line", (line) => {
  console.log(line);
  const found = /# (SKIPPED: .*)$/.exec(line);
  if (found?.[1] !== undefined) skipped.push(found[1]);
});
child.on("close", (code) => {
  console.log(
    `run-tests: ${group}: ${files.length} files in ${((performance.now() - started) / 1_000).toFixed(0)} s, ${skipped.length} suites skipped`,
  );
  for (const reason of new Set(skipped)) console.log(reason);
  const mustRun = process.env["CI"] === "true" && skipped.length > 0;
  if (mustRun) console.error("run-tests: a skipped suite fails the run where CI=true");
  process.exit(code !== 0 || mustRun ? 1 : 0);
});

/** Named files run from the sources and start immediately. */
function isWhole(run: readonly Layer[]): boolean {
  return only.length === 0 && run.some((layer) => layer === "integration" || layer === "contract");
}

/** Downloads Helm before any test, because the time limits of tests do not include this. */
async function getHelm(): Promise<void> {
  if (!isNamed("/support/cluster/helm.ts") || programRefusal(HELM_VERSIONS) !== undefined) return;
  for (const version of HELM_VERSIONS) await builtProgram(version);
}

async function buildIfNamed(program: "cosign" | "external-secrets" | "promtool"): Promise<void> {
  const isWanted = isNamed(`builtProgram("${program}")`) || isNamed(`programRefusal(["${program}"])`);
  if (isWanted && programRefusal([program]) === undefined) await builtProgram(program);
}

/** Whether a file of the run imports the module. */
function isNamed(module: string): boolean {
  return files.some((file) => readFileSync(path.resolve(import.meta.dirname, "..", file), "utf8").includes(module));
}

/** Downloads the second API server if a suite names it and the first one exists. */
async function getOlderApiServer(): Promise<void> {
  const root = path.resolve(import.meta.dirname, "..");
  if (!isNamed("/api-server-versions.ts") || process.env["KUBEBUILDER_ASSETS"] === undefined) return;
  const found = (await olderApiServer(root, { onlyCached: false })) as { readonly why?: string }; // As its comment says.
  if (found.why !== undefined) process.env["KEYVAULT_INJECTOR_NO_OLDER_API_SERVER"] = found.why;
}

/** Builds the node once, for nodes that start in parallel. */
async function buildNode(): Promise<void> {
  if (!layers?.some((layer) => layer === "e2e" || layer === "install")) return;
  const { realNodeRefusal } = await import("./e2e/support/node.ts");
  if ((await realNodeRefusal()) === undefined) await nodeBinaries();
}

/** Builds Flux before the suites start: it takes minutes, and a suite would exceed its time limit. */
async function buildFlux(): Promise<void> {
  if (!isNamed("/support/cluster/flux.ts") || process.env["KUBEBUILDER_ASSETS"] === undefined) return;
  const { fluxRefusal, prepareFlux } = await import("./support/cluster/flux.ts");
  if (fluxRefusal() === undefined) await prepareFlux();
  if (isNamed("startWholeFlux") && programRefusal(["source-controller"]) === undefined) await builtProgram("source-controller");
}
