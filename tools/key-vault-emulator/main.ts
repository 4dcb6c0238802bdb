import { UsageError } from "./cli/command.ts";
import { dispatch } from "./cli/dispatch.ts";
import { EmulatorInputError } from "./input-error.ts";

/** Prints only the message of an error that the user can fix. Any other error is a bug, and its stack is printed. */
function report(error: unknown): number {
  const isExpected = error instanceof UsageError || error instanceof EmulatorInputError;
  process.stderr.write(`key-vault-emulator: ${error instanceof Error ? (isExpected ? error.message : error.stack) : String(error)}\n`);
  return error instanceof UsageError ? 2 : 1;
}

try {
  process.stdout.write(await dispatch(process.argv.slice(2), process.env.KEY_VAULT_EMULATOR_DIR));
} catch (error) {
  process.exitCode = report(error);
}
