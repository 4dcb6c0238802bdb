import type { CustomResourceDefinition } from "../../domain/healing/crd.ts";
import type { ObjectRef } from "../../domain/kubernetes.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { ReachHost } from "../../domain/reach.ts";
import type { ManifestInputs } from "./manifest-files.ts";
import { type OptionValues, type Syntax, valueOf } from "./options.ts";
import type { TellProgress } from "./terminal.ts";
import type { Cluster } from "./viewer.ts";
import type { AzureAccess, WorkerCode } from "./worker-code.ts";

/** Exit codes, the same for every command. */
export const EXIT = {
  /** Nothing is wrong. */
  fine: 0,
  /** What was looked at has something wrong: a denial, a failed check. */
  found: 1,
  /** The command could not do its work: a wrong flag, an unreadable file, no API server. */
  unusable: 2,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What a command prints and how it ends. Whole texts: nothing is written before the command knows how it ends. */
export interface CommandResult {
  readonly code: ExitCode;
  /** For standard output. */
  readonly output: string;
  /** For standard error, one line each. */
  readonly notes: readonly string[];
}

/** The world as a command sees it. */
export interface CommandContext {
  readonly version: string;
  /** What was typed to run it: `keyvault-injector`, or `kubectl keyvault`. */
  readonly program: string;
  readonly clock: Clock;
  /** Standard output is a terminal that shows colours, and nobody asked for none. */
  readonly hasColour: boolean;
  readonly inputs: ManifestInputs;
  readonly tellProgress: TellProgress;
  /** Access by a kubeconfig; rejects with a {@link CommandFailure} that says what to set where there is none. */
  readonly openCluster: (access: ClusterAccess) => Promise<Cluster>;
  /** The CRDs that this version ships; throws where they are not beside the program. */
  readonly shippedCrds: () => readonly CustomResourceDefinition[];
  /** Ways to Azure; rejects with an `Error` that names the variable where the proxy's address is none. Loads the SDK. */
  readonly openAzure: () => Promise<AzureAccess>;
  /** The way to a host, as Azure is reached, without the SDK; rejects as {@link openAzure} does. */
  readonly openReach: () => Promise<ReachHost>;
  readonly workerCode: () => Promise<WorkerCode>;
  readonly signal: AbortSignal;
}

/** Which cluster, as its options say it. */
export interface ClusterAccess {
  /** Undefined: KUBECONFIG, then the usual places. */
  readonly kubeconfig: string | undefined;
  /** Undefined: the current one. */
  readonly context: string | undefined;
}

export function accessOf(options: OptionValues): ClusterAccess {
  return { kubeconfig: valueOf(options, "kubeconfig"), context: valueOf(options, "context") };
}

export interface Command extends Syntax {
  readonly name: string;
  /** One sentence. */
  readonly summary: string;
  /** After the command's name: what stands there. */
  readonly usage: string;
  /** Further lines of `--help`. */
  readonly details: readonly string[];
  /** What may stand as the first word, where that is one of a few. */
  readonly words?: readonly string[];
  /** `-o json` is for programs to read: it gives one JSON value whatever happens. */
  readonly hasJsonReport?: true;
  run(input: CommandInput, context: CommandContext): Promise<CommandResult>;
}

export interface CommandInput {
  readonly options: OptionValues;
  readonly arguments: readonly string[];
}

/** A failure of the command itself, with a message for the terminal: what was tried, on what, and what to do. */
export class CommandFailure extends Error {
  override readonly name = "CommandFailure";
}

/** How the answer is to be written: as `-o` says, which was checked when it was read, else in the command's first format. */
export function formatOf<Format extends string>(options: OptionValues, formats: readonly [Format, ...Format[]]): Format {
  const wanted = valueOf(options, "output");
  return formats.find((known) => known === wanted) ?? formats[0];
}

/** A class by the kubeconfig's namespace, which is known once a cluster is. */
export type NamedClass = (current: string) => Required<ObjectRef>;

/** `NAMESPACE/NAME`, or `NAME` of the namespace that -n says, else the kubeconfig's. What names no class is refused before a cluster is asked. */
export function namedClass(word: string, { options }: CommandInput): NamedClass {
  if (options["all-namespaces"] !== undefined) throw new CommandFailure(`-A: ${JSON.stringify(word)} is one class; leave -A out`);
  const [first = "", second, ...rest] = word.split("/");
  if (rest.length > 0 || first === "" || second === "") {
    throw new CommandFailure(`${JSON.stringify(word)} names no class; write NAMESPACE/NAME`);
  }
  if (second !== undefined) return () => ({ namespace: first, name: second });
  return (current) => ({ namespace: valueOf(options, "namespace") ?? current, name: first });
}
