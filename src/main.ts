import { readFileSync } from "node:fs";
import { processConfig } from "./runtime/config.ts";
import { stopSignal } from "./runtime/lifecycle.ts";
import { createLogger } from "./runtime/logger.ts";
import { environmentNameOf, SETTINGS, type Setting } from "./runtime/settings.ts";

const PROCESSES = ["webhook", "sync"] as const;
type Process = (typeof PROCESSES)[number];

/** Of package.json, which lies next to `src` and `dist` alike. */
function packageVersion(): string {
  const manifest: { version: string } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return manifest.version;
}

function settingsHelp(): string {
  const lines = Object.entries(SETTINGS).map(([name, setting]: [string, Setting]) => {
    const fallback = setting.default === "" ? "" : ` (default ${setting.default})`;
    return `  --${name}\n      ${setting.help}${fallback} [${environmentNameOf(name)}]`;
  });
  return `keyvault-injector ${packageVersion()}\n\nusage: node dist/main.js ${PROCESSES.join("|")} [flags]\n\n${lines.join("\n")}\n`;
}

/** Exit code of the process. */
async function run(argv: readonly string[]): Promise<number> {
  const [command = "", ...flags] = argv;
  if (command === "--version") {
    console.log(packageVersion());
    return 0;
  }
  if (isProcess(command)) return runProcess(command, flags);
  // Loaded here and not above: the processes that run in the cluster have no use for it.
  const cli = await import("./cli/compose.ts");
  if (cli.COMMAND_NAMES.includes(command)) return cli.runCli(command, flags, packageVersion());
  if (command === "--help" || command === "help") {
    console.log([...cli.commandSummaries(), "", "`keyvault-injector COMMAND --help` tells more.", "", settingsHelp()].join("\n"));
    return 0;
  }
  const known = [...PROCESSES, ...cli.COMMAND_NAMES].join(", ");
  console.error(`unknown command ${JSON.stringify(command)}; write one of ${known}, or --help`);
  return 2;
}

async function runProcess(command: Process, flags: readonly string[]): Promise<number> {
  if (flags.includes("--help")) {
    console.log(settingsHelp());
    return 0;
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
    logger.error("the process ends because it cannot go on", { error });
    return 1;
  }
}

function isProcess(command: string): command is Process {
  return PROCESSES.some((known) => known === command);
}

process.exit(await run(process.argv.slice(2)));
