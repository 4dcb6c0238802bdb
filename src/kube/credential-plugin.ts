import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import type { Cluster, User } from "@kubernetes/client-node";
import { itemsIn, nonEmptyText, objectAt } from "../domain/json-members.ts";
import { isJsonObject, type JsonObject, parsedJson } from "../domain/json-object.ts";

/** `exec` of a kubeconfig's user: a program that gets the credentials, such as Azure/kubelogin. */
interface Plugin {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly apiVersion: string;
  readonly interactiveMode: unknown;
  readonly installHint: string | undefined;
  readonly provideClusterInfo: boolean;
}

interface PluginUser extends User {
  plugin?: Plugin;
}

/** A cluster with the fields that client-node does not read. */
interface PluginCluster extends Cluster {
  /** The kubeconfig's settings for the plugin, in the plugin's own format. */
  pluginConfig?: unknown;
}

interface PluginCertificate {
  readonly cert: string;
  readonly key: string;
}

export interface PluginCredential {
  readonly token: string | undefined;
  readonly certificate: PluginCertificate | undefined;
  /** Milliseconds since 1970. Undefined: valid as long as the process runs. */
  readonly expires: number | undefined;
}

/** A running plugin. */
type PluginProcess = Pick<ChildProcess, "kill" | "once"> & { readonly stdout: { destroy(): unknown } };

/** Milliseconds between the signal that asks a plugin to end and the one that kills it. */
const END_MS = 2_000;

/** Maximum number of characters that a plugin may print. Longer output is not a credential. */
const MOST_OUTPUT = 1_048_576;

const TOO_MUCH = `printed more than ${MOST_OUTPUT} characters and was ended; make it print an ExecCredential and nothing else on standard output`;

/** Names the plugin and its failure. Contains nothing that the plugin printed, which may be a token. */
export class CredentialPluginFailure extends Error {
  override readonly name = "CredentialPluginFailure";
}

/** Takes the plugin away from client-node, which hides the plugin's messages from the user and gives the plugin no information. */
export function addPlugin(user: PluginUser, { exec }: JsonObject): void {
  const command = isJsonObject(exec) ? nonEmptyText(exec["command"]) : undefined;
  if (!isJsonObject(exec) || command === undefined) return;
  const env = itemsIn(exec["env"]).flatMap((entry) => {
    const [name, value] = isJsonObject(entry) ? [nonEmptyText(entry["name"]), entry["value"]] : [];
    return name === undefined || typeof value !== "string" ? [] : [[name, value] as const];
  });
  user.plugin = {
    command,
    args: itemsIn(exec["args"]).filter((argument) => typeof argument === "string"),
    env: Object.fromEntries(env),
    apiVersion: nonEmptyText(exec["apiVersion"]) ?? "client.authentication.k8s.io/v1",
    interactiveMode: exec["interactiveMode"],
    installHint: nonEmptyText(exec["installHint"]),
    provideClusterInfo: exec["provideClusterInfo"] === true,
  };
  Object.assign(user, { exec: undefined });
}

export function addPluginConfig(cluster: PluginCluster, { extensions }: JsonObject): void {
  const entry = itemsIn(extensions).find((known) => isJsonObject(known) && known["name"] === "client.authentication.k8s.io/exec");
  if (isJsonObject(entry)) cluster.pluginConfig = entry["extension"];
}

/** PATH contains a command without a folder. Any other command is relative to the kubeconfig's folder. */
export function makePluginAbsolute(user: PluginUser, folder: string): void {
  const { plugin } = user;
  if (plugin?.command.includes(path.sep) === true) user.plugin = { ...plugin, command: path.resolve(folder, plugin.command) };
}

interface PluginsOptions {
  readonly cluster: () => Cluster | null;
  /** Environment of the process. */
  readonly environment: () => Readonly<Record<string, string | undefined>>;
  /** Whether a user can answer a plugin's questions. */
  readonly isTerminal: () => boolean;
}

/**
 * Runs plugins as client-go does (k8s.io/client-go/plugin/pkg/client/auth/exec). A plugin can get information about the cluster, writes to
 * the user's standard error, and reads from the user's standard input if that is a terminal. For each user, one plugin runs at a time, and
 * its credential is reused until it expires or the API server rejects it.
 */
export class CredentialPlugins {
  readonly #options: PluginsOptions;
  readonly #credentials = new Map<string, Promise<PluginCredential>>();
  readonly #rejected = new WeakSet<PluginCredential>();
  readonly #running = new Set<PluginProcess>();
  #certificates = 0;
  #certificate: PluginCertificate | undefined;

  constructor(options: PluginsOptions) {
    this.#options = options;
  }

  /** Number of changes of the client certificate so far. Connections that use an earlier certificate are out of date. */
  get certificates(): number {
    return this.#certificates;
  }

  /** Client certificate of the last credential; undefined if it has none. */
  get certificate(): PluginCertificate | undefined {
    return this.#certificate;
  }

  /** Returns undefined for a user whose credentials come from elsewhere. */
  async credentialOf(user: PluginUser | null): Promise<PluginCredential | undefined> {
    if (user?.plugin === undefined || (user.authProvider ?? undefined) !== undefined) return undefined;
    return this.#credential(user.name, user.plugin);
  }

  /** Drops a credential that the API server did not accept: the next request runs the plugin again, unless it already ran since. */
  reject(credential: PluginCredential): void {
    this.#rejected.add(credential);
  }

  /** Ends the plugins that still run, because no request waits for them any more. */
  close(): void {
    for (const child of this.#running) end(child);
  }

  async #credential(user: string, plugin: Plugin): Promise<PluginCredential> {
    const held = this.#credentials.get(user);
    const credential = await held;
    const isValid = credential !== undefined && this.#isUsable(credential);
    // Another request may have started a run while this one waited.
    if (isValid || this.#credentials.get(user) !== held) return isValid ? credential : this.#credential(user, plugin);
    const fresh = this.#get(plugin);
    this.#credentials.set(user, fresh);
    fresh.catch(() => this.#credentials.delete(user));
    return fresh;
  }

  #isUsable(credential: PluginCredential): boolean {
    return !this.#rejected.has(credential) && (credential.expires ?? Number.POSITIVE_INFINITY) > Date.now();
  }

  async #get(plugin: Plugin): Promise<PluginCredential> {
    const isInteractive = plugin.interactiveMode !== "Never" && this.#options.isTerminal();
    if (plugin.interactiveMode === "Always" && !isInteractive)
      throw failure(plugin, "asks for input, but standard input is not a terminal");
    const credential = credentialIn(await this.#output(plugin, isInteractive));
    if (credential === undefined) throw failure(plugin, "printed no credential; check the plugin");
    const { certificate } = credential;
    if (certificate !== this.#certificate) this.#certificates += 1;
    this.#certificate = certificate;
    return credential;
  }

  #output(plugin: Plugin, isInteractive: boolean): Promise<string> {
    const cluster = plugin.provideClusterInfo ? { cluster: clusterInfo(this.#options.cluster()) } : {};
    const info = { kind: "ExecCredential", apiVersion: plugin.apiVersion, spec: { ...cluster, interactive: isInteractive } };
    const env = { ...this.#options.environment(), ...plugin.env, KUBERNETES_EXEC_INFO: JSON.stringify(info) };
    return new Promise((resolve, reject) => {
      const child = spawn(plugin.command, plugin.args, { env, stdio: [isInteractive ? "inherit" : "ignore", "pipe", "inherit"] });
      this.#running.add(child);
      let output = "";
      child.stdout.setEncoding("utf8").on("data", (part: string) => {
        output += part;
        if (output.length <= MOST_OUTPUT) return;
        reject(failure(plugin, TOO_MUCH));
        end(child);
      });
      child.once("error", (error) => reject(notStarted(plugin, error)));
      child.once("close", (code, signal) => {
        this.#running.delete(child);
        if (code === 0) resolve(output);
        else reject(failure(plugin, `ended with ${code ?? signal}; check the plugin, which says why on standard error`));
      });
    });
  }
}

/** Ends a plugin, or kills it if it ignores the first signal. It cannot write any more, and programs that it leaves behind hold up nothing. */
function end(child: PluginProcess): void {
  child.kill();
  child.stdout.destroy();
  const timer = setTimeout(() => child.kill("SIGKILL"), END_MS);
  child.once("exit", () => clearTimeout(timer));
}

function credentialIn(output: string): PluginCredential | undefined {
  const status = objectAt(parsedJson(output), ["status"]) ?? {};
  const token = nonEmptyText(status["token"]);
  const [cert, key] = [nonEmptyText(status["clientCertificateData"]), nonEmptyText(status["clientKeyData"])];
  const certificate = cert === undefined || key === undefined ? undefined : { cert, key };
  if (token === undefined && certificate === undefined) return undefined;
  const expires = Date.parse(nonEmptyText(status["expirationTimestamp"]) ?? "");
  return { token, certificate, expires: Number.isNaN(expires) ? undefined : expires };
}

/** `spec.cluster` of an ExecCredential. */
function clusterInfo(cluster: PluginCluster | null): JsonObject {
  if (cluster === null) return {};
  const { caFile, pluginConfig } = cluster;
  const authority = nonEmptyText(caFile) === undefined ? cluster.caData : readFileSync(caFile ?? "").toString("base64");
  const fields = {
    server: cluster.server,
    "tls-server-name": cluster.tlsServerName,
    "insecure-skip-tls-verify": cluster.skipTLSVerify ? true : undefined,
    "certificate-authority-data": authority,
    config: pluginConfig,
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null && value !== ""));
}

function failure({ command }: Plugin, what: string): CredentialPluginFailure {
  return new CredentialPluginFailure(`the kubeconfig's credential plugin ${command} ${what}`);
}

function notStarted(plugin: Plugin, error: NodeJS.ErrnoException): CredentialPluginFailure {
  const hint = plugin.installHint?.replaceAll(/\s+/g, " ").trim() ?? "install it, or correct the kubeconfig's users[].user.exec.command";
  return failure(plugin, `cannot be started (${error.code ?? "unknown failure"}): ${hint}`);
}
