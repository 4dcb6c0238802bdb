import { type ParseArgsOptionsConfig, parseArgs } from "node:util";

import type { Emulator } from "../emulator.ts";

/** Error for wrong use of the command line: exit code 2, with the usage. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export interface Invocation {
  readonly emulator: Emulator;
  /** One for each argument of the command. Optional ones may be missing. */
  readonly arguments: readonly string[];
  readonly flags: Readonly<Record<string, string | boolean | undefined>>;
}

/** A subcommand that calls a running emulator. The program prints the text that `run` returns. */
export interface Command {
  /** Two words such as `secret set`, or one. */
  readonly name: string;
  /** Names of the arguments, optional ones in brackets. */
  readonly arguments: readonly string[];
  readonly options: ParseArgsOptionsConfig;
  readonly help: string;
  run(invocation: Invocation): Promise<string>;
}

/** Returns the argument at a position that the command requires. The dispatcher checked their number before. */
export function required(invocation: Invocation, position: number): string {
  const value = invocation.arguments[position];
  if (value === undefined) throw new UsageError(`argument ${position + 1} is missing`);
  return value;
}

export function textFlag(invocation: Invocation, name: string): string | undefined {
  const value = invocation.flags[name];
  return typeof value === "string" ? value : undefined;
}

/** A flag with a closed list of values. */
export function choice<Value extends string>(invocation: Invocation, name: string, values: readonly Value[]): Value | undefined {
  const given = textFlag(invocation, name);
  const value = values.find((one) => one === given);
  if (given !== undefined && value === undefined) throw new UsageError(`--${name}: use one of ${values.join(", ")}`);
  return value;
}

export function wholeNumber(invocation: Invocation, name: string): number | undefined {
  const given = textFlag(invocation, name);
  if (given !== undefined && !/^\d+$/.test(given)) throw new UsageError(`--${name}: use a whole number`);
  return given === undefined ? undefined : Number(given);
}

export function json(value: unknown): string {
  return JSON.stringify(value, undefined, 2);
}

/** Columns padded to their widest cell. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<readonly number[]>((widest, row) => row.map((cell, at) => Math.max(cell.length, widest[at] ?? 0)), []);
  return rows
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** Flags and arguments of one command. */
export interface Parsed {
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
  readonly positionals: readonly string[];
}

export function parseCommandLine(args: readonly string[], options: Command["options"]): Parsed {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    // No option of any command is `multiple`.
    return { values: values as Parsed["values"], positionals };
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : "the arguments can't be read", { cause });
  }
}
