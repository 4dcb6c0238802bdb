import { type ParseArgsConfig, parseArgs } from "node:util";

/**
 * Parses the arguments of an npm script for people. `--help` prints the usage and the details. An unknown argument prints the problem and
 * the usage. In both cases the process exits.
 */
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
