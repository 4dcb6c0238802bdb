import { type ParseArgsConfig, parseArgs } from "node:util";

/** Arguments of an npm script that people type. `--help` prints the usage and the details, and what is not understood is told with the usage: nothing is started then. */
export function scriptArguments<Config extends ParseArgsConfig>(
  usage: string,
  config: Config,
  details: readonly string[] = [],
): ReturnType<typeof parseArgs<Config>> {
  const args = process.argv.slice(2);
  if (args.includes("--help") || args.includes("-h")) {
    console.log([`usage: ${usage}`, ...details].join("\n"));
    process.exit(0);
  }
  try {
    return parseArgs(config);
  } catch (error) {
    const [problem = ""] = (error instanceof Error ? error.message : String(error)).split(". ");
    console.error(`${problem}; usage: ${usage}`);
    process.exit(2);
  }
}
