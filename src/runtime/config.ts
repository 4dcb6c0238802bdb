import { hostname } from "node:os";
import { parseArgs } from "node:util";
import { z } from "zod";
import { parseDuration } from "../domain/duration.ts";
import { CLOUDS, findCloud } from "../domain/provider-class/clouds.ts";
import { failed, ok, type Result } from "../domain/result.ts";
import type { LogFormat, LogLevel } from "./logger.ts";
import { environmentNameOf, SETTINGS, type Setting, type SettingKind, type SettingName } from "./settings.ts";

export interface Config {
  readonly syncSecret: boolean;
  readonly enableSecretRotation: boolean;
  /** Milliseconds. */
  readonly rotationPollInterval: number;
  readonly syncMode: "always" | "never";
  readonly credentialsSecretNames: readonly string[];
  readonly cloudName: string;
  readonly constructPemChain: boolean;
  readonly writeCertAndKeyInSeparateFiles: boolean;
  readonly heal: readonly ("crds" | "classes")[];
  readonly strictAnnotations: boolean;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  readonly namespace: string;
  readonly podName: string;
  readonly bindAddress: string;
  readonly admissionPort: number;
  readonly healthPort: number;
  /** Empty: the package's own. */
  readonly crdsDir: string;
  /** Empty: in-cluster. */
  readonly kubeconfig: string;
}

const TRUE_OR_FALSE = "write true or false";

/** What each kind of setting accepts, and what it becomes. */
function schemaFor(kind: SettingKind): z.ZodType {
  switch (kind.kind) {
    case "boolean":
      return z.enum(["true", "false"], { error: TRUE_OR_FALSE }).transform((text) => text === "true");
    case "text":
      return z.string();
    case "cloud":
      return z.string().refine((name) => findCloud(name).ok, `no such cloud; write one of ${CLOUDS.map(({ name }) => name).join(", ")}`);
    case "port":
      return z
        .string()
        .regex(/^\d{1,5}$/, "write a port number from 0 to 65535")
        .transform(Number)
        .refine((port) => port <= 65_535, "write a port number from 0 to 65535");
    case "duration":
      return durationSchema(kind.minimumMs);
    case "choice":
      return z.enum(kind.choices as [string, ...string[]], { error: `write one of ${kind.choices.join(", ")}` }); // The table's lists are never empty.
    case "list":
      return listSchema(kind.choices);
  }
}

function durationSchema(minimumMs: number): z.ZodType {
  return z.string().transform((text, context) => {
    const parsed = parseDuration(text);
    if (parsed.ok && parsed.value >= minimumMs) return parsed.value;
    context.addIssue({ code: "custom", message: parsed.ok ? `not below ${minimumMs / 1_000}s` : parsed.error });
    return z.NEVER;
  });
}

function listSchema(choices: readonly string[] | undefined): z.ZodType {
  return z.string().transform((text, context) => {
    const items = text
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== "");
    const unknown = choices === undefined ? undefined : items.find((item) => !choices.includes(item));
    if (unknown !== undefined) {
      context.addIssue({ code: "custom", message: `unknown item ${JSON.stringify(unknown)}; write any of ${choices?.join(", ")}` });
      return z.NEVER;
    }
    return items;
  });
}

/** Reads flags over environment over defaults. All problems at once, each naming the flag, the value and the fix. */
export function parseConfig(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Result<Config, readonly string[]> {
  const flags = readFlags(argv);
  if (!flags.ok) return flags;
  const problems: string[] = [];
  const values = new Map<SettingName, unknown>();
  for (const [name, setting] of Object.entries(SETTINGS) as [SettingName, Setting][]) {
    const given = source(name, setting, { flags: flags.value, environment });
    const parsed = schemaFor(setting.type).safeParse(given.text);
    if (parsed.success) values.set(name, parsed.data);
    else problems.push(`${given.where}: ${JSON.stringify(given.text)}: ${parsed.error.issues.map((issue) => issue.message).join("; ")}`);
  }
  return problems.length > 0 ? failed(problems) : ok(toConfig(values));
}

function readFlags(argv: readonly string[]): Result<Readonly<Record<string, string>>, readonly string[]> {
  try {
    const options = Object.fromEntries(Object.keys(SETTINGS).map((name) => [name, { type: "string" as const }]));
    const { values } = parseArgs({ args: [...argv], options, strict: true, allowPositionals: false });
    return ok(values as Record<string, string>); // Every option above is a string.
  } catch (error) {
    return failed([error instanceof Error ? error.message : String(error)]);
  }
}

interface Sources {
  readonly flags: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

function source(name: SettingName, setting: Setting, { flags, environment }: Sources): { readonly where: string; readonly text: string } {
  const flag = flags[name];
  if (flag !== undefined) return { where: `--${name}`, text: flag };
  for (const variable of [environmentNameOf(name), setting.environment]) {
    const value = variable === undefined ? undefined : environment[variable];
    if (variable !== undefined && value !== undefined && value !== "") return { where: variable, text: value };
  }
  return { where: `--${name}`, text: setting.default };
}

function toConfig(values: ReadonlyMap<SettingName, unknown>): Config {
  const fields = [...values].map(([name, value]) => [name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase()), value]);
  const config = Object.fromEntries(fields) as Config; // The field names are the flags in camel case, the types those of the schemas above.
  return config.podName === "" ? { ...config, podName: hostname() } : config;
}

/** The process's own arguments and environment: the one place that reads them. */
export function processConfig(argv: readonly string[]): Result<Config, readonly string[]> {
  return parseConfig(argv, process.env);
}
