import { readFileSync } from "node:fs";
import path from "node:path";
import { processConfig, typedByHandProblem } from "./runtime/config.ts";
import { stopSignal } from "./runtime/lifecycle.ts";
import { createLogger } from "./runtime/logger.ts";
import { packageFolder } from "./runtime/package-folder.ts";
import { programName } from "./runtime/program-name.ts";
import { PROCESSES, type Process } from "./runtime/setting.ts";
import { processHelp } from "./runtime/settings-help.ts";
import { writeOutput } from "./runtime/standard-output.ts";

/** Returns the version in package.json, which is next to both `src` and `dist`. */
function packageVersion(): string {
  const manifest: { version: string } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return manifest.version;
}

/** Runs the command, and returns the exit code of the process. */
async function run(argv: readonly string[]): Promise<number> {
  const [command = "", ...flags] = argv;
  if (isProcess(command)) return runProcess(command, flags);
  // Loaded here, not above, because the processes that run in the cluster do not use it.
  const [{ runCli }, { readCrds }] = await Promise.all([import("./cli/compose.ts"), import("./sync/healing/crd-files.ts")]);
  return runCli(argv, {
    version: packageVersion(),
    program: programName([process.argv0, process.argv[1]]),
    shippedCrds: () => readCrds(path.join(packageFolder(), "manifests/crds")),
  });
}

async function runProcess(command: Process, flags: readonly string[]): Promise<number> {
  if (flags.includes("--help") || flags.includes("-h")) {
    const unwritten = await writeOutput(processHelp(command));
    if (unwritten === undefined) return 0;
    console.error(`keyvault-injector ${command}: ${unwritten}`);
    return 2;
  }
  const typed = typedByHandProblem(flags, process.stdin.isTTY);
  if (typed !== undefined) {
    console.error(`keyvault-injector ${command}: ${typed}`);
    return 2;
  }
  const config = processConfig(flags);
  if (!config.ok) {
    for (const problem of config.error) console.error(`keyvault-injector ${command}: ${problem}`);
    return 2;
  }
  const logger = createLogger({ level: config.value.logLevel, format: config.value.logFormat, name: command });
  const signal = stopSignal(logger);
  try {
    // Each process loads only its own half: the SDKs cost tens of megabytes.
    const app = command === "webhook" ? await import("./webhook/compose.ts") : await import("./sync/compose.ts");
    await app.runProcess({ config: config.value, logger, version: packageVersion() }, signal);
    logger.info("stopped");
    return 0;
  } catch (error) {
    logger.error("the process ends because of an error", { error });
    return 1;
  }
}

function isProcess(command: string): command is Process {
  return PROCESSES.some((known) => known === command);
}

process.exit(await run(process.argv.slice(2)));
