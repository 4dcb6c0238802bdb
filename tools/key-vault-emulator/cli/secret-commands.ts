import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";

import type { SecretVersion } from "../vault/secret-collection.ts";
import { type Command, type Invocation, json, required, table, textFlag, UsageError } from "./command.ts";

const valueFile = { "value-file": { type: "string" } } as const;

/** Commands for secrets and their versions. Only `rotate --print` prints values. */
export const secretCommands: readonly Command[] = [
  {
    name: "secret set",
    arguments: ["VAULT", "NAME", "[VALUE]"],
    options: {
      ...valueFile,
      "content-type": { type: "string" },
      "not-before": { type: "string" },
      expires: { type: "string" },
      disabled: { type: "boolean" },
    },
    help: "set a value, which makes a new version [--value-file FILE|-] [--content-type T] [--not-before DATE] [--expires DATE] [--disabled]",
    run: async (call) => {
      const value = await valueOf(call);
      if (value === undefined) throw new UsageError("give the VALUE or --value-file FILE (- reads standard input, to its last byte)");
      const properties = {
        contentType: textFlag(call, "content-type"),
        notBefore: secondsOf(call, "not-before"),
        expires: secondsOf(call, "expires"),
        enabled: call.flags.disabled !== true,
      };
      return json(await call.emulator.setSecret({ ...keyOf(call), value, ...properties }));
    },
  },
  {
    name: "secret rotate",
    arguments: ["VAULT", "NAME", "[VALUE]"],
    options: { ...valueFile, print: { type: "boolean" } },
    help: "a new version of an existing secret, with a random value unless one is given [--value-file FILE|-] [--print]",
    run: async (call) => {
      const { value, ...version } = await call.emulator.rotateSecret({ ...keyOf(call), value: await valueOf(call) });
      return json(call.flags.print === true ? { ...version, value } : version);
    },
  },
  {
    name: "secret disable",
    arguments: ["VAULT", "NAME", "[VERSION]"],
    options: {},
    help: "disable a version, the current one by default",
    run: async (call) => json(await call.emulator.disableSecret({ ...keyOf(call), version: call.arguments[2] })),
  },
  {
    name: "secret enable",
    arguments: ["VAULT", "NAME", "[VERSION]"],
    options: {},
    help: "enable it again",
    run: async (call) => json(await call.emulator.enableSecret({ ...keyOf(call), version: call.arguments[2] })),
  },
  {
    name: "secret delete",
    arguments: ["VAULT", "NAME"],
    options: {},
    help: "delete a secret with all its versions",
    run: async (call) => {
      await call.emulator.deleteSecret(keyOf(call));
      return `deleted ${required(call, 1)}`;
    },
  },
  {
    name: "secret show-versions",
    arguments: ["VAULT", "NAME"],
    options: { json: { type: "boolean" } },
    help: "list the versions, oldest first, without values [--json]",
    run: async (call) => {
      const versions = await call.emulator.secretVersions(keyOf(call));
      return call.flags.json === true ? json(versions) : table([["VERSION", "ENABLED", "CREATED", "CONTENT-TYPE"], ...versions.map(rowOf)]);
    },
  },
];

function rowOf({ version, enabled, created, contentType = "" }: SecretVersion): readonly string[] {
  return [version, String(enabled), new Date(created * 1000).toISOString(), contentType];
}

function keyOf(call: Invocation): { readonly vault: string; readonly name: string } {
  return { vault: required(call, 0), name: required(call, 1) };
}

async function valueOf(call: Invocation): Promise<string | undefined> {
  const [file, argument] = [textFlag(call, "value-file"), call.arguments[2]];
  if (file === undefined) return argument;
  if (argument !== undefined) throw new UsageError("give either the VALUE or --value-file, not both");
  return file === "-" ? text(process.stdin) : readFile(file, "utf8");
}

function secondsOf(call: Invocation, flag: string): number | undefined {
  const given = textFlag(call, flag);
  if (given === undefined) return undefined;
  const milliseconds = Date.parse(given);
  if (Number.isNaN(milliseconds)) throw new UsageError(`--${flag}: use a date such as 2027-01-31 or 2027-01-31T12:00:00Z`);
  return Math.floor(milliseconds / 1000);
}
