import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { clientEnvironment, managedIdentityEnvironment, startEmulator } from "../emulator.ts";
import { parseCommandLine, UsageError } from "./command.ts";
import { exportLines } from "./identity-commands.ts";

export const SERVE_HELP = `serve [--state-dir DIR] [--port N] [--proxy-port N] [--admin-port N] [--imds-port N] [--token-lifetime SECONDS] [--until-stdin-ends]
      run the emulator on loopback until SIGINT or SIGTERM; ports are free ones unless given`;

const options = {
  "state-dir": { type: "string" },
  port: { type: "string" },
  "proxy-port": { type: "string" },
  "admin-port": { type: "string" },
  "imds-port": { type: "string" },
  "token-lifetime": { type: "string" },
  "until-stdin-ends": { type: "boolean" },
} as const;

/** Resolves when the emulator has stopped. */
export async function serve(args: readonly string[], defaultStateDir: string | undefined): Promise<void> {
  const { values, positionals } = parseCommandLine(args, options);
  if (positionals.length > 0) throw new UsageError(`serve takes no arguments, only options; ${positionals.length} given`);
  const text = (flag: string): string | undefined => {
    const value = values[flag];
    return typeof value === "string" ? value : undefined;
  };
  const number = (flag: string, range: Range): number | undefined => numberOf(flag, text(flag), range);
  const stateDir = text("state-dir") ?? defaultStateDir ?? (await mkdtemp(join(tmpdir(), "key-vault-emulator-")));
  const emulator = await startEmulator({
    stateDir,
    port: number("port", PORTS),
    proxyPort: number("proxy-port", PORTS),
    adminPort: number("admin-port", PORTS),
    imdsPort: number("imds-port", PORTS),
    tokenLifetimeSeconds: number("token-lifetime", { min: 1, max: 86_400 }),
  });
  const stopped = stopSignal(values["until-stdin-ends"] === true);
  process.stdout.write(
    `# Key Vault emulator is up. Point a client at it:\n${exportLines({ ...clientEnvironment(emulator), ...managedIdentityEnvironment(emulator) })}\n` +
      `# Point this command line at it:\nexport KEY_VAULT_EMULATOR_DIR='${stateDir}'\n`,
  );
  await stopped;
  // An open pipe from the parent would keep the process alive.
  process.stdin.destroy();
  await emulator.stop();
}

interface Range {
  readonly min: number;
  readonly max: number;
}

const PORTS: Range = { min: 0, max: 65_535 };

function numberOf(flag: string, given: string | undefined, { min, max }: Range): number | undefined {
  if (given === undefined) return undefined;
  const value = Number(given);
  if (!/^\d+$/.test(given) || value < min || value > max) throw new UsageError(`--${flag}: use a whole number from ${min} to ${max}`);
  return value;
}

/** The end of standard input means that the parent has ended, possibly without sending a signal. */
function stopSignal(untilStdinEnds: boolean): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
    if (!untilStdinEnds) return;
    process.stdin.on("end", () => resolve());
    process.stdin.on("error", () => resolve());
    process.stdin.resume();
  });
}
