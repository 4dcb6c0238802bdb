import type { CustomResourceDefinition } from "../../domain/healing/crd.ts";
import { type ObjectRef, RESOURCES } from "../../domain/kubernetes.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { EventQueues } from "../../domain/ports/event-queue.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import { KubeError } from "../../domain/ports/kube-error.ts";
import type { KubeWatcher } from "../../domain/ports/kube-watcher.ts";
import type { VaultClients } from "../../domain/ports/vault-client.ts";
import type { ReachHost } from "../../domain/reach.ts";
import type { TokenProxySettings } from "../../runtime/token-proxy-place.ts";
import { escapedControls } from "../manifest/yaml.ts";
import { type OptionValues, type Syntax, valueOf } from "./options.ts";
import { targetResource } from "./resources.ts";
import { serverFailure } from "./server-failure.ts";
import type { ReportProgress } from "./terminal.ts";

/** Exit codes, the same for every command. */
export const EXIT = {
  /** Nothing is wrong. */
  fine: 0,
  /** The command found a problem, such as a denial or a failed check. */
  found: 1,
  /** The command could not do its work: a wrong flag, an unreadable file, no API server. */
  unusable: 2,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Output and exit code of a command. The texts are complete: a command writes nothing before it knows how it ends. */
export interface CommandResult {
  readonly code: ExitCode;
  /** Text for standard output. */
  readonly output: string;
  /** Lines for standard error. */
  readonly notes: readonly string[];
}

/** Environment of a command. */
export interface CommandContext {
  readonly shipped: Shipped;
  readonly terminal: Terminal;
  readonly inputs: ManifestInputs;
  /** Opens a cluster by a kubeconfig; rejects with a {@link CommandFailure} that says what to set if there is none. */
  readonly openCluster: (access: ClusterAccess) => Promise<Cluster>;
  /**
   * Opens access to Azure, also with identity bindings if the worker's settings for them are given; rejects with an `Error` that names the
   * variable if the address of the proxy is invalid. Loads the SDK.
   */
  readonly openAzure: (ofBindings?: TokenProxySettings) => Promise<AzureAccess>;
  /** Opens connections to hosts in the same way as to Azure, without the SDK; rejects as {@link openAzure} does. */
  readonly openReach: () => Promise<ReachHost>;
  /** While a command runs: the clock of the API server, as soon as it has answered. */
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Differences between the two ways to ship the command line: next to its files, or as a single file. */
export interface Shipped {
  readonly version: string;
  /** Command that the user typed: `keyvault-injector`, or `kubectl keyvault`. */
  readonly program: string;
  /** Returns the CRDs of this version; throws if they are not next to the program. */
  readonly shippedCrds: () => readonly CustomResourceDefinition[];
}

export interface Terminal {
  /** Whether standard output is a terminal that shows colours, and the user has not switched them off. */
  readonly hasColour: boolean;
  readonly reportProgress: ReportProgress;
  /** Writes to standard output immediately, for the command that runs until the user stops it. */
  readonly print: (text: string) => Promise<void>;
}

/** Access to the manifests that the user names. */
export interface ManifestInputs {
  /** Returns the text of a file, of an address, or of standard input for `-`; throws a {@link CommandFailure} that names it. */
  readonly read: (name: string) => Promise<string>;
  /** Returns the manifests of a folder, sorted by name; undefined if it is not a folder. */
  readonly filesIn: (name: string, isRecursive: boolean) => Promise<readonly string[] | undefined>;
  /** Returns what kubectl builds from a kustomization; throws a {@link CommandFailure} that says what failed. */
  readonly kustomize: (folder: string) => Promise<string>;
}

/** An API server, accessed with the user's own identity. */
export interface Cluster extends ActingClient {
  /** Namespace of the kubeconfig's context. */
  readonly namespace: string;
  /** Address and context, for messages. */
  readonly server: string;
  /** Returns the milliseconds by which the API server's clock is ahead of this machine's, as far as known. Absent: 0. */
  readonly offsetMs?: () => number;
  /** Returns a separate client that acts as another user; its first request shows whether the API server allows that. */
  actAs(user: string): Promise<ActingClient>;
  /** Creates live copies with the user's own identity; each ends with its signal. */
  watcher(): Promise<KubeWatcher>;
}

export interface ActingClient {
  readonly kube: KubeClient;
  close(): Promise<void>;
}

/** Access to Azure, through the proxy in this process's environment. */
export interface AzureAccess {
  readonly vaults: VaultClients;
  readonly queues: EventQueues;
  readonly reach: ReachHost;
  /** Whether this process runs in a pod of the cluster: the managed identity of the machine is then that of the worker. */
  readonly isInCluster: boolean;
}

/** Cluster that the options select. */
export interface ClusterAccess {
  /** Undefined: KUBECONFIG, then the usual places. */
  readonly kubeconfig: string | undefined;
  /** Undefined: the current context. */
  readonly context: string | undefined;
}

export function accessOf(options: OptionValues): ClusterAccess {
  return { kubeconfig: valueOf(options, "kubeconfig"), context: valueOf(options, "context") };
}

/** Command line that users type, and its result in one line. */
export interface Example {
  readonly result: string;
  readonly typed: string;
}

export interface Command extends Syntax {
  readonly name: string;
  /** One sentence. */
  readonly summary: string;
  /** Arguments after the command's name. */
  readonly usage: string;
  /** Further lines of `--help`. */
  readonly details: readonly string[];
  readonly examples: readonly Example[];
  /** Possible first words, if there are only a few. */
  readonly words?: readonly string[];
  /** Whether `-o json` prints one JSON value even if the command fails, because programs read it. */
  readonly hasJsonReport?: true;
  run(input: CommandInput, context: CommandContext): Promise<CommandResult>;
}

export interface CommandInput {
  readonly options: OptionValues;
  readonly arguments: readonly string[];
}

/** Failure of the command itself. The message for the terminal says what the command tried, on which object, and what the user can do. */
export class CommandFailure extends Error {
  override readonly name = "CommandFailure";
}

/** Returns the result of a command that could do its work. */
export function answered(output: string, isWrong = false): CommandResult {
  return { code: isWrong ? EXIT.found : EXIT.fine, output, notes: [] };
}

/** Increases if a field is renamed, removed, or changes its meaning. Fields may be added at any time. */
const REPORT_FORMAT = 1;

/** Returns the text of `-o json` for commands that print one report. */
export function reportText(report: string, shipped: Shipped, fields: object): string {
  return jsonText(reportOf(report, shipped, fields));
}

/** Returns one report, for any output format. */
export function reportOf(report: string, { version }: Shipped, fields: object): object {
  return { report, format: REPORT_FORMAT, version, ...fields };
}

export function jsonText(value: unknown): string {
  return `${escapedControls(JSON.stringify(value, null, 2))}\n`;
}

/** Opens the cluster that the options select, and closes it at the end. */
export async function withCluster<T>(
  { options }: CommandInput,
  { openCluster }: CommandContext,
  run: (cluster: Cluster) => Promise<T>,
): Promise<T> {
  const cluster = await openCluster(accessOf(options));
  return closing(cluster, () => run(cluster));
}

/** Closes the cluster at the end. If the API server did not answer, the failure names it. */
async function closing<T>(cluster: Cluster, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw namingServer(error, cluster);
  } finally {
    await cluster.close();
  }
}

/** Same as {@link closing}, for commands that can also work with files alone. */
export async function closingOptional<T>(cluster: Cluster | undefined, run: () => Promise<T>): Promise<T> {
  if (cluster === undefined) return run();
  try {
    return await closing(cluster, run);
  } catch (error) {
    const isOfCluster = error instanceof CommandFailure && error.cause instanceof KubeError;
    throw isOfCluster ? new CommandFailure(`${error.message}; add --offline to use the files alone`, { cause: error.cause }) : error;
  }
}

/** Names the API server instead of the request, because the next request would have failed, too. */
function namingServer(error: unknown, { server }: Cluster): unknown {
  const cause = error instanceof CommandFailure ? error.cause : undefined;
  const text = cause instanceof KubeError ? serverFailure(cause, server) : undefined;
  return text === undefined ? error : new CommandFailure(text, { cause });
}

/** Returns the format of `-o`, which the parser has checked, or the command's first format. */
export function formatOf<Format extends string>(options: OptionValues, formats: readonly [Format, ...Format[]]): Format {
  const wanted = valueOf(options, "output");
  return formats.find((known) => known === wanted) ?? formats[0];
}

/** Class that depends on the kubeconfig's namespace, which the command knows only with a cluster. */
export type NamedClass = (current: string) => Required<ObjectRef>;

/**
 * Parses `NAMESPACE/NAME`, or `NAME` or `spc/NAME` in the namespace of -n, otherwise of the kubeconfig. Rejects a word that names no class
 * before the command contacts a cluster.
 */
export function namedClass(word: string, { options }: CommandInput): NamedClass {
  if (valueOf(options, "all-namespaces") === "true") throw new CommandFailure(`-A: ${JSON.stringify(word)} is one class; remove -A`);
  const [first = "", second, ...rest] = word.split("/");
  const inNamespace = (name: string) => (current: string) => ({ namespace: valueOf(options, "namespace") ?? current, name });
  if (rest.length > 0 || first === "" || second === "") {
    throw new CommandFailure(`${JSON.stringify(word)} names no class; write NAMESPACE/NAME`);
  }
  // explain accepts `spc/NAME`, and kubectl prints it. Users can specify a namespace of such a name with -n.
  if (second !== undefined && targetResource(first) === RESOURCES.secretProviderClasses) return inNamespace(second);
  if (second === undefined) return inNamespace(first);
  const asked = valueOf(options, "namespace");
  if (asked !== undefined && asked !== first)
    throw new CommandFailure(`-n ${asked} and ${JSON.stringify(word)} name different namespaces; write one of them`);
  return () => ({ namespace: first, name: second });
}
