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
import type { TellProgress } from "./terminal.ts";

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
  readonly shipped: Shipped;
  readonly terminal: Terminal;
  readonly inputs: ManifestInputs;
  /** Access by a kubeconfig; rejects with a {@link CommandFailure} that says what to set where there is none. */
  readonly openCluster: (access: ClusterAccess) => Promise<Cluster>;
  /** Ways to Azure, for identity bindings too where the worker's settings of them are given; rejects with an `Error` that names the variable where the proxy's address is none. Loads the SDK. */
  readonly openAzure: (ofBindings?: TokenProxySettings) => Promise<AzureAccess>;
  /** The way to a host, as Azure is reached, without the SDK; rejects as {@link openAzure} does. */
  readonly openReach: () => Promise<ReachHost>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** What differs between the ways in which the command line is shipped: beside its files, or as a single one. */
export interface Shipped {
  readonly version: string;
  /** What was typed to run it: `keyvault-injector`, or `kubectl keyvault`. */
  readonly program: string;
  /** The CRDs of this version; throws where they are not beside the program. */
  readonly shippedCrds: () => readonly CustomResourceDefinition[];
}

export interface Terminal {
  /** Standard output is a terminal that shows colours, and nobody asked for none. */
  readonly hasColour: boolean;
  readonly tellProgress: TellProgress;
  /** Writes to standard output at once: for the command that goes on until it is stopped. */
  readonly print: (text: string) => Promise<void>;
}

/** Ways to the manifests that a user names. */
export interface ManifestInputs {
  /** Text of a file, of an address, or of standard input for `-`; throws a {@link CommandFailure} that names it. */
  readonly read: (name: string) => Promise<string>;
  /** The manifests of a folder in the order of their names; undefined where it is no folder. */
  readonly filesIn: (name: string, isRecursive: boolean) => Promise<readonly string[] | undefined>;
  /** What kubectl makes of a kustomization; throws a {@link CommandFailure} that says what failed. */
  readonly kustomize: (folder: string) => Promise<string>;
}

/** An API server, under the user's own identity. */
export interface Cluster extends ActingClient {
  /** Of the kubeconfig's context. */
  readonly namespace: string;
  /** For messages: its address, and the context that it is by. */
  readonly server: string;
  /** A client of its own as another user; its first request shows whether the user may act as them. */
  actAs(user: string): Promise<ActingClient>;
  /** Live copies under the user's own identity; they end with their signals. */
  watcher(): Promise<KubeWatcher>;
}

export interface ActingClient {
  readonly kube: KubeClient;
  close(): Promise<void>;
}

/** Ways to Azure, with the proxy of this process's environment. */
export interface AzureAccess {
  readonly vaults: VaultClients;
  readonly queues: EventQueues;
  readonly reach: ReachHost;
  /** This process runs in a pod of the cluster: a managed identity of the machine is then the worker's. */
  readonly isInCluster: boolean;
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

/** What people type, and what it does in one line. */
export interface Example {
  readonly result: string;
  readonly typed: string;
}

export interface Command extends Syntax {
  readonly name: string;
  /** One sentence. */
  readonly summary: string;
  /** After the command's name: what stands there. */
  readonly usage: string;
  /** Further lines of `--help`. */
  readonly details: readonly string[];
  readonly examples: readonly Example[];
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

/** What a command says where nothing kept it from its work. */
export function answered(output: string, isWrong = false): CommandResult {
  return { code: isWrong ? EXIT.found : EXIT.fine, output, notes: [] };
}

/** Raised when a field is renamed, removed, or means something else. Fields may be added at any time. */
const REPORT_FORMAT = 1;

/** `-o json` of the commands that give one report. */
export function reportText(report: string, shipped: Shipped, fields: object): string {
  return jsonText(reportOf(report, shipped, fields));
}

/** One report, to be written in a format. */
export function reportOf(report: string, { version }: Shipped, fields: object): object {
  return { report, format: REPORT_FORMAT, version, ...fields };
}

export function jsonText(value: unknown): string {
  return `${escapedControls(JSON.stringify(value, null, 2))}\n`;
}

/** Opens the cluster that the options name, and closes it when all is said. */
export async function withCluster<T>(
  { options }: CommandInput,
  { openCluster }: CommandContext,
  look: (cluster: Cluster) => Promise<T>,
): Promise<T> {
  const cluster = await openCluster(accessOf(options));
  return closing(cluster, () => look(cluster));
}

/** Closes the cluster, if there is one, when all is said. Where it gave no answer, the failure names it. */
export async function closing<T>(cluster: Cluster | undefined, look: () => Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (error) {
    throw cluster === undefined ? error : namingServer(error, cluster);
  } finally {
    await cluster?.close();
  }
}

/** The words for what a system calls by a code. */
const NETWORK_WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  ENOTFOUND: "its name cannot be resolved",
  EAI_AGAIN: "the DNS server does not answer",
  EHOSTUNREACH: "no route to the host",
  ETIMEDOUT: "timed out",
  UND_ERR_CONNECT_TIMEOUT: "timed out",
};

/** Of a connection: Node's code, or its words where it has none. */
function failureOf({ cause }: KubeError): string {
  const { code, message } = (cause ?? {}) as { readonly code?: unknown; readonly message?: unknown }; // Printed only as strings.
  return [code, message].find((said) => typeof said === "string") ?? "no answer in time";
}

/** No request is named: the next one would have come to the same. */
function namingServer(error: unknown, { server }: Cluster): unknown {
  const cause = error instanceof CommandFailure ? error.cause : undefined;
  if (!(cause instanceof KubeError) || cause.code !== "Unavailable" || cause.status !== undefined || cause.isUnsent) return error;
  const code = failureOf(cause);
  const message = `no answer from the API server ${server} (${NETWORK_WORDS[code] ?? code}); check the kubeconfig's server, or the network`;
  return new CommandFailure(message, { cause });
}

/** How the answer is to be written: as `-o` says, which was checked when it was read, else in the command's first format. */
export function formatOf<Format extends string>(options: OptionValues, formats: readonly [Format, ...Format[]]): Format {
  const wanted = valueOf(options, "output");
  return formats.find((known) => known === wanted) ?? formats[0];
}

/** A class by the kubeconfig's namespace, which is known once a cluster is. */
export type NamedClass = (current: string) => Required<ObjectRef>;

/** `NAMESPACE/NAME`, or `NAME` or `spc/NAME` of the namespace that -n says, else the kubeconfig's. What names no class is refused before a cluster is asked. */
export function namedClass(word: string, { options }: CommandInput): NamedClass {
  if (valueOf(options, "all-namespaces") === "true") throw new CommandFailure(`-A: ${JSON.stringify(word)} is one class; remove -A`);
  const [first = "", second, ...rest] = word.split("/");
  const inNamespace = (name: string) => (current: string) => ({ namespace: valueOf(options, "namespace") ?? current, name });
  if (rest.length > 0 || first === "" || second === "") {
    throw new CommandFailure(`${JSON.stringify(word)} names no class; write NAMESPACE/NAME`);
  }
  // `spc/NAME`, as explain takes it and kubectl prints it; a namespace of such a name is for -n.
  if (second !== undefined && targetResource(first) === RESOURCES.secretProviderClasses) return inNamespace(second);
  if (second === undefined) return inNamespace(first);
  const asked = valueOf(options, "namespace");
  if (asked !== undefined && asked !== first)
    throw new CommandFailure(`-n ${asked} and ${JSON.stringify(word)} name different namespaces; write one of them`);
  return () => ({ namespace: first, name: second });
}
