import { hostname } from "node:os";
import { parseArgs } from "node:util";
import { parseDuration } from "../domain/duration.ts";
import { isPlaceholder } from "../domain/placeholder.ts";
import type { QueueSetting } from "../domain/ports/event-queue.ts";
import { CLOUD_NAMES, findCloud, isCustomCloud } from "../domain/provider-class/clouds.ts";
import { failed, ok, type Result } from "../domain/result.ts";
import { parseWindow, type RestartWindow, WINDOW_ADVICE } from "../domain/schedule/restart-window.ts";
import { nearestSpelling } from "../domain/spelling.ts";
import { parseQueueSetting, queueLabel, SHARD_PLACE } from "../domain/vault-events/queue-setting.ts";
import { wordsOf } from "../domain/words.ts";
import { type OutboundProxy, readOutboundProxy } from "./outbound-proxy.ts";
import { boundsOf, environmentNameOf, type Setting, type SettingBounds, type SettingKind } from "./setting.ts";
import { SETTINGS, type SettingName } from "./settings.ts";
import { type TokenProxyPlace, tokenProxyPlace, tokenProxyProblem } from "./token-proxy-place.ts";

/** Converts `rotation-poll-interval` to `rotationPollInterval`. */
type Camel<Name extends string> = Name extends `${infer First}-${infer Rest}` ? `${First}${Capitalize<Camel<Rest>>}` : Name;

/** Types of the values, by the kind of the setting. A duration is in milliseconds. */
interface Values {
  readonly boolean: boolean;
  readonly count: number;
  readonly duration: number;
  readonly eventQueues: readonly QueueSetting[];
  readonly list: readonly string[];
  readonly namespaces: readonly string[];
  readonly port: number;
  readonly window: RestartWindow;
}
type ValueOf<Type> = Type extends { readonly kind: "list"; readonly choices: readonly (infer Choice)[] }
  ? readonly Choice[]
  : Type extends { readonly choices: readonly (infer Choice)[] }
    ? Choice
    : Type extends { readonly kind: keyof Values }
      ? Values[Type["kind"]]
      : string;

/** Values by the table of settings, whose `help` explains an empty value. */
type SettingValues = { readonly [Name in SettingName as Camel<Name>]: ValueOf<(typeof SETTINGS)[Name]["type"]> };

export interface Config extends SettingValues {
  /** Address of the token proxy for identity bindings; undefined if they are off. */
  readonly tokenProxy: TokenProxyPlace | undefined;
  /** Proxy for Azure traffic, from the variables that every program reads. */
  readonly proxy: OutboundProxy | undefined;
  /** Variables that the process must not have; see {@link processConfig}. */
  readonly divertingVariables: readonly string[];
}

/**
 * With these variables, the Azure SDK uses a managed identity other than the node's. The webhook of azure-workload-identity sets the first
 * one in labelled pods: classes would then act as the worker's own application.
 */
const DIVERTING_VARIABLES = [
  "AZURE_FEDERATED_TOKEN_FILE",
  "IDENTITY_ENDPOINT",
  "IDENTITY_HEADER",
  "IDENTITY_SERVER_THUMBPRINT",
  "IMDS_ENDPOINT",
  "MSI_ENDPOINT",
  "MSI_SECRET",
] as const;

/** Returns the value of a setting's text, or the text to write instead. */
function readValue(kind: SettingKind, text: string): Result<unknown, string> {
  const given = <T>(isMeant: boolean, value: T, problem: string): Result<T, string> => (isMeant ? ok(value) : failed(problem));
  switch (kind.kind) {
    case "boolean":
      return given(text === "true" || text === "false", text === "true", "write true or false");
    case "text":
      return ok(text);
    case "cloud":
      return given(findCloud(text).ok || isCustomCloud(text), text, `unknown cloud; write one of ${CLOUD_NAMES.join(", ")}`);
    case "port":
      return readWhole(text, boundsOf(kind), "port number");
    case "count":
      return readWhole(text, boundsOf(kind), "number");
    case "duration":
      return readDuration(text, boundsOf(kind));
    case "choice":
      return given(kind.choices.includes(text), text, `write one of ${kind.choices.join(", ")}`);
    case "window": {
      const window = parseWindow(text);
      return window.ok ? window : failed(`${window.error}: ${WINDOW_ADVICE}`);
    }
    case "list": {
      const unknown = wordsOf(text).find((item) => kind.choices?.includes(item) === false);
      return given(
        unknown === undefined,
        wordsOf(text),
        `unknown item ${JSON.stringify(unknown)}; write any of ${kind.choices?.join(", ")}`,
      );
    }
    case "eventQueues":
      return readEventQueues(wordsOf(text));
    case "namespaces": {
      const everywhere = kind.every === undefined ? "" : `, or ${kind.every} for all of them`;
      const problem = `write names of namespaces (lower-case letters, digits and -, at most 63), separated by commas${everywhere}`;
      return given(
        wordsOf(text).every((name) => name === kind.every || NAMESPACE.test(name)),
        wordsOf(text),
        problem,
      );
    }
  }
}

function readEventQueues(items: readonly string[]): Result<readonly QueueSetting[], string> {
  const settings: QueueSetting[] = [];
  for (const [index, item] of items.entries()) {
    const parsed = parseQueueSetting(item);
    if (!parsed.ok) return failed(items.length === 1 ? parsed.error : `queue ${index + 1}: ${parsed.error}`);
    if (settings.some(({ url }) => url === parsed.value.url)) return failed(`queue ${index + 1}: it is given twice`);
    settings.push(parsed.value);
  }
  return ok(settings);
}

function readWhole(text: string, { least, most = Number.MAX_SAFE_INTEGER }: SettingBounds, noun: string): Result<number, string> {
  const isMeant = /^\d{1,9}$/.test(text) && Number(text) >= least && Number(text) <= most;
  return isMeant ? ok(Number(text)) : failed(`write a ${noun} from ${least} to ${most}`);
}

function readDuration(text: string, { least, most = Number.POSITIVE_INFINITY }: SettingBounds): Result<number, string> {
  const parsed = parseDuration(text);
  if (!parsed.ok) return parsed;
  if (parsed.value < least) return failed(`not below ${least / 1_000}s`);
  return parsed.value > most ? failed(`not above ${most / 1_000}s`) : parsed;
}

const UNFILLED = "write the value in place of the placeholder";

/** A Kubernetes DNS label. */
const NAMESPACE = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;

/**
 * Reads the settings: flags win over the environment, and the environment over defaults. Returns all problems at once, each with the flag
 * or variable, the value and the fix.
 */
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
    const read = wordsOf(given.text).some(isPlaceholder) ? failed(UNFILLED) : readValue(setting.type, given.text);
    if (read.ok) values.set(name, read.value);
    else problems.push(`${given.where}: ${JSON.stringify(given.text)}: ${read.error}`);
  }
  const config = toConfig(values);
  problems.push(...certificateFileProblems(config), ...eventQueueProblems(config), ...shardProblems(config));
  const ofTokenProxy = tokenProxyProblem(config.tokenProxyUrl);
  if (ofTokenProxy !== undefined) problems.push(`--token-proxy-url: ${ofTokenProxy}`);
  const proxy = readOutboundProxy(environment);
  if (!proxy.ok) return failed([...problems, proxy.error]);
  const divertingVariables = DIVERTING_VARIABLES.filter((name) => (environment[name] ?? "") !== "");
  return problems.length > 0
    ? failed(problems)
    : ok({
        ...config,
        tokenProxy: config.identityBindings ? tokenProxyPlace(config, environment[SERVICE_PORT] ?? "") : undefined,
        proxy: proxy.value,
        divertingVariables,
      });
}

/** Checks settings that have no meaning without another one. */
function certificateFileProblems({ tlsCertFile, tlsKeyFile, tlsCaFile }: SettingValues): readonly string[] {
  const given = tlsCertFile !== "" || tlsKeyFile !== "" || tlsCaFile !== "";
  const needed = [
    ["--tls-cert-file", tlsCertFile],
    ["--tls-key-file", tlsKeyFile],
  ] as const;
  return needed.flatMap(([flag, value]) =>
    given && value === "" ? [`${flag}: missing; write --tls-cert-file and --tls-key-file together, or none of the --tls-…-file flags`] : [],
  );
}

function eventQueueProblems({ eventQueues = [], enableSecretRotation }: Partial<SettingValues>): readonly string[] {
  if (eventQueues.length === 0 || enableSecretRotation !== false) return [];
  return ["--event-queues: events only trigger earlier polls, and --enable-secret-rotation=false turns polls off; remove one of the two"];
}

/** Checks settings that each shard needs a part of, or one of its own. */
function shardProblems({ shards = 1, maxRollouts = shards, eventQueues = [] }: Partial<SettingValues>): readonly string[] {
  const shared = eventQueues.find(({ url }) => !url.includes(SHARD_PLACE));
  return [
    ...(maxRollouts < shards
      ? [`--max-rollouts: ${maxRollouts} is less than the ${shards} of --shards, each of which needs at least one; write ${shards} or more`]
      : []),
    ...(shards > 1 && shared !== undefined
      ? [
          `--event-queues: ${queueLabel(shared)}: with --shards=${shards}, each shard reads its own queue, and each queue must receive every event; ` +
            `write ${SHARD_PLACE} in the queue's name in place of the shard number, such as vault-events-${SHARD_PLACE}`,
        ]
      : []),
  ];
}

function readFlags(argv: readonly string[]): Result<Readonly<Record<string, string>>, readonly string[]> {
  try {
    const options = Object.fromEntries(Object.keys(SETTINGS).map((name) => [name, { type: "string" as const }]));
    const { values, tokens } = parseArgs({ args: [...argv], options, strict: true, allowPositionals: false, tokens: true });
    const times = tokens.filter((token) => token.kind === "option" && token.name === ("event-queues" satisfies SettingName)).length;
    // For other settings the last one wins: `extraArgs` and overlays add theirs after the existing ones.
    if (times > 1) return failed([`--event-queues: given ${times} times; give it once, with commas between the queues`]);
    return ok(values as Record<string, string>); // Every option above is a string.
  } catch (error) {
    return failed([flagProblem(error instanceof Error ? error.message : String(error))]);
  }
}

/** Rewords Node's messages, which advise about words after `--` that no process uses, or give no advice. */
function flagProblem(message: string): string {
  const [, word] = /^Unexpected argument '([^']*)'/.exec(message) ?? [];
  if (word !== undefined)
    return `unexpected argument ${JSON.stringify(word)}; a process of the install takes only flags. To fetch a class now, run keyvault-injector refresh`;
  const [, flag = ""] = /^Unknown option '(--?[^']*)'/.exec(message) ?? [];
  if (flag === "") return message;
  const nearest = nearestSpelling(flag.replace(/^-+/, ""), Object.keys(SETTINGS));
  return `unknown option ${flag}; ${nearest === undefined ? "see --help" : `did you mean --${nearest}?`}`;
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

/** Port of the API server, which the kubelet gives to pods. */
const SERVICE_PORT = "KUBERNETES_SERVICE_PORT";

function toConfig(values: ReadonlyMap<SettingName, unknown>): SettingValues {
  const fields = [...values].map(([name, value]) => [name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase()), value]);
  const config = Object.fromEntries(fields) as SettingValues; // The field names are the flags in camel case, and the types are those of the values above.
  return config.podName === "" ? { ...config, podName: hostname() } : config;
}

/** Reads the arguments and the process's own environment, and removes the variables that would divert a sign-in. */
export function processConfig(argv: readonly string[]): Result<Config, readonly string[]> {
  const config = parseConfig(argv, process.env);
  if (config.ok) for (const name of config.value.divertingVariables) delete process.env[name];
  return config;
}

/**
 * Returns why a process does not start, because a user typed its name: it would act on the current cluster with the user's permissions.
 * With `--kubeconfig`, or in a pod, it starts.
 */
export function typedByHandProblem(
  argv: readonly string[],
  isTerminal: boolean,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string | undefined {
  if (!isTerminal || isInPod(environment) || argv.some((arg) => /^--kubeconfig(?:=|$)/.test(arg))) return undefined;
  return "this process runs in the install's pods. To fetch a class now, run keyvault-injector refresh; to start the process on this machine, add --kubeconfig";
}

/** Whether the process runs in a pod: the kubelet sets the variable in every container. */
function isInPod(environment: Readonly<Record<string, string | undefined>>): boolean {
  return (environment["KUBERNETES_SERVICE_HOST"] ?? "") !== "";
}

/** The settings for Azure that a command of the command line takes from its environment, as the worker does from its own. */
export interface AzureSurroundings {
  readonly proxy: OutboundProxy | undefined;
  /** Whether the process runs in a pod. */
  readonly isInCluster: boolean;
  /** Port of the API server's Service; empty if unknown. */
  readonly servicePort: string;
}

/**
 * Reads the environment, and removes the variables that would divert a sign-in, like {@link processConfig}. The error names a variable,
 * never its value.
 */
export function azureSurroundings(): Result<AzureSurroundings, string> {
  const proxy = readOutboundProxy(process.env);
  if (!proxy.ok) return proxy;
  for (const name of DIVERTING_VARIABLES) delete process.env[name];
  return ok({
    proxy: proxy.value,
    isInCluster: isInPod(process.env),
    servicePort: process.env[SERVICE_PORT] ?? "",
  });
}

/** Returns the environment of the user, for the search for a kubeconfig and for programs that this process starts. */
export function inheritedEnvironment(): Readonly<Record<string, string | undefined>> {
  return process.env;
}
