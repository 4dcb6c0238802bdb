import { UsageError } from "./cli/command.ts";
import { dispatch } from "./cli/dispatch.ts";
import { EmulatorInputError } from "./input-error.ts";

/** The message alone for what the user can mend; anything else is a bug and shows its stack. */
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
