import { spawn } from "node:child_process";
import path from "node:path";
import { openAzure, openCluster, openReach } from "../../../src/cli/compose.ts";
import { runProgram } from "../../../src/cli/program.ts";
import {
  type Cluster,
  type CommandContext,
  CommandFailure,
  type CommandResult,
  type ManifestInputs,
} from "../../../src/cli/shared/command.ts";
import { createInputs } from "../../../src/cli/shared/manifest-files.ts";
import type { Clock } from "../../../src/domain/ports/clock.ts";
import { systemClock } from "../../../src/runtime/clock.ts";
import { readCrds } from "../../../src/sync/healing/crd-files.ts";
import { baseEnvironment } from "../processes/base-environment.ts";
import { program } from "../processes/program.ts";
import { ManualClock } from "../time/manual-clock.ts";

/** Output of a command, as a user at a terminal or a script gets it. */
export interface CliOutput {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly kubeconfig?: string;
  readonly input?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Runs the program like a user, in a separate process. */
export function runCli(args: readonly string[], { kubeconfig, input = "", environment = {} }: CliOptions = {}): Promise<CliOutput> {
  const env = {
    ...baseEnvironment(),
    // The program must find neither the machine's own kubeconfig nor a pod's account.
    HOME: path.join(import.meta.dirname, "no-such-home"),
    KUBECONFIG: kubeconfig ?? "",
    ...environment,
  };
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program(), ...args], { env, stdio: ["pipe", "pipe", "pipe"] });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (stdout += chunk));
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => (stderr += chunk));
    child.once("error", reject);
    child.once("close", (code) => resolve({ code: code ?? 128, stdout, stderr }));
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
}

const SHIPPED = { version: "9.9.9", program: "keyvault-injector" };

/** Runs a command in this process against a cluster. Many runs take as long as the start of one process. */
export async function runOnline(
  args: readonly string[],
  kubeconfig: string,
  options: Partial<Pick<CommandContext, "openAzure" | "openReach" | "clock">> = {},
): Promise<CommandResult> {
  const context: CommandContext = {
    shipped: { ...SHIPPED, shippedCrds: () => readCrds(path.resolve(import.meta.dirname, "../../../manifests/crds")) },
    terminal: { hasColour: false, reportProgress: () => undefined, print: async () => undefined },
    clock: options.clock ?? systemClock,
    inputs: createInputs({ proxy: () => undefined, signal: new AbortController().signal }),
    openCluster: ({ context }) => openCluster({ kubeconfig, context }, "test"),
    openAzure: options.openAzure ?? openAzure,
    openReach: options.openReach ?? openReach,
    signal: new AbortController().signal,
  };
  return runProgram(args, context);
}

/** Runs a command in this process without a cluster. `input` is its standard input, and `files` are the only files that it can read. */
export function runOffline(args: readonly string[], input = "", options: OfflineOptions = {}): Promise<CommandResult> {
  return runProgram(args, offlineContext(input, options));
}

interface OfflineOptions {
  readonly files?: Readonly<Record<string, string>>;
  readonly hasColour?: boolean;
  /** Used instead of no cluster. */
  readonly cluster?: Cluster;
  /** Used instead of `files`. */
  readonly inputs?: ManifestInputs;
  /** Used instead of a clock that does not advance. */
  readonly clock?: Clock;
  /** Used instead of a check without network access. */
  readonly openReach?: CommandContext["openReach"];
}

function offlineContext(input: string, options: OfflineOptions): CommandContext {
  return {
    shipped: { ...SHIPPED, shippedCrds: () => [] },
    terminal: { hasColour: options.hasColour ?? false, reportProgress: () => undefined, print: async () => undefined },
    clock: options.clock ?? new ManualClock(),
    inputs: options.inputs ?? {
      read: async (file) => (file === "-" ? input : (options.files?.[file] ?? missing(file))),
      filesIn: async () => undefined,
      kustomize: async (folder) => missing(folder),
    },
    openCluster: async () => {
      if (options.cluster !== undefined) return options.cluster;
      throw new CommandFailure("no cluster here");
    },
    openAzure: async () => {
      throw new CommandFailure("no Azure here");
    },
    openReach:
      options.openReach ??
      (async () => {
        throw new CommandFailure("no way out here");
      }),
    signal: new AbortController().signal,
  };
}

function missing(file: string): never {
  throw new CommandFailure(`${file} cannot be read`);
}
