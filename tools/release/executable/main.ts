/** Entry point of the single executable. Files that lie next to the program in other installs are assets of the executable. */
import { getAsset, getAssetKeys } from "node:sea";
import { runCli } from "../../../src/cli/compose.ts";
import { programName } from "../../../src/runtime/program-name.ts";
import { PROCESSES } from "../../../src/runtime/setting.ts";
import { crdsIn } from "../../../src/sync/healing/crd-files.ts";
import { CRDS, VERSION } from "./assets.ts";

async function run(argv: readonly string[]): Promise<number> {
  const program = programName([process.argv0]);
  const [word = "", ...flags] = argv;
  if (PROCESSES.some((process) => process === word)) {
    if (flags.includes("--help") || flags.includes("-h")) return runCli(["help", word], { version: version(), program, shippedCrds });
    process.stderr.write(`${program}: ${word} runs in the cluster, from the image; this program has the command line alone\n`);
    return 2;
  }
  return runCli(argv, { version: version(), program, shippedCrds });
}

function version(): string {
  return getAsset(VERSION, "utf8");
}

function shippedCrds() {
  const files = getAssetKeys().filter((key) => key.startsWith(CRDS));
  return crdsIn(files.sort().map((file) => getAsset(file, "utf8")));
}

void run(process.argv.slice(2)).then((code) => process.exit(code));
