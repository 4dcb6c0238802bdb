import { existsSync } from "node:fs";
import path from "node:path";
import { findHomeDir, type KubeConfig } from "@kubernetes/client-node";
import { nonEmptyText } from "../domain/json-members.ts";
import { spellingAdvice } from "../domain/spelling.ts";
import { inheritedEnvironment } from "../runtime/config.ts";
import { PooledKubeConfig } from "./config.ts";
import { isNobodysImpersonation } from "./impersonation.ts";

export interface KubeConfigSource {
  /** Path of a kubeconfig. If absent or empty: KUBECONFIG, then the pod's ServiceAccount. */
  readonly kubeconfig?: string | undefined;
  /** Context of the kubeconfig. Default: its current context. */
  readonly context?: string | undefined;
}

const NO_KUBECONFIG = "no kubeconfig found; set KUBECONFIG, name a file with --kubeconfig, or run in a pod with a ServiceAccount";

/** Loads the access to the API server. If there is none, throws an `Error` that names the setting to change. */
export function loadKubeConfig(source: KubeConfigSource): PooledKubeConfig {
  const files = filesOf(source);
  const config = new PooledKubeConfig();
  for (const file of files) merge(config, readFile(file));
  if (files.length === 0) loadSurroundings(config);
  if (source.context !== undefined) choose(config, source.context);
  const problem = problemOf(config);
  if (problem !== undefined)
    throw new Error(`${files.length === 0 ? "the default Kubernetes configuration" : files.join(", ")}: ${problem}`);
  return config;
}

/** Returns the files that KUBECONFIG names and that exist, like client-go. */
function filesOf({ kubeconfig }: KubeConfigSource): readonly string[] {
  if (kubeconfig !== undefined && kubeconfig !== "") return [kubeconfig];
  const named = (inheritedEnvironment()["KUBECONFIG"] ?? "").split(path.delimiter).filter((file) => file !== "");
  const home = findHomeDir();
  const files = named.length === 0 && home !== null ? [path.join(home, ".kube", "config")] : named;
  const found = files.filter((file) => existsSync(file));
  if (named.length > 0 && found.length === 0)
    throw new Error(`KUBECONFIG names ${named.join(", ")}, which does not exist; name a readable kubeconfig file`);
  return found;
}

function readFile(file: string): PooledKubeConfig {
  const config = new PooledKubeConfig();
  try {
    config.loadFromFile(file);
  } catch (error) {
    // A YAML parser quotes the line at fault, which may be a token.
    // oxlint-disable-next-line eslint/preserve-caught-error -- for that reason.
    throw new Error(`${file} cannot be read as a kubeconfig (${reasonOf(error)}); name a readable kubeconfig file`);
  }
  return config;
}

/** Merges like client-go: the first file that names an entry provides the whole entry. client-node rejects equal names. */
function merge(config: KubeConfig, part: KubeConfig): void {
  config.clusters = withNew(config.clusters, part.clusters);
  config.users = withNew(config.users, part.users);
  config.contexts = withNew(config.contexts, part.contexts);
  const context = nonEmptyText(config.currentContext) ?? nonEmptyText(part.currentContext);
  if (context !== undefined) config.setCurrentContext(context);
}

function withNew<T extends { readonly name: string }>(entries: readonly T[], others: readonly T[]): T[] {
  const names = new Set(entries.map(({ name }) => name));
  return [...entries, ...others.filter(({ name }) => !names.has(name))];
}

/** Loads the pod's ServiceAccount. */
function loadSurroundings(config: KubeConfig): void {
  config.loadFromDefault();
  // client-node makes up these values if it finds no configuration.
  const isMadeUp = config.getCurrentContext() === "loaded-context" && config.getCurrentCluster()?.server === "http://localhost:8080";
  if (isMadeUp) throw new Error(NO_KUBECONFIG);
}

function choose(config: KubeConfig, context: string): void {
  const known = namesOf(config.getContexts());
  if (!known.includes(context))
    throw new Error(`the kubeconfig has no context ${JSON.stringify(context)}; ${spellingAdvice(context, known)}`);
  config.setCurrentContext(context);
}

function problemOf(config: KubeConfig): string | undefined {
  const current = nonEmptyText(config.getCurrentContext());
  const contexts = namesOf(config.getContexts());
  if (contexts.length === 0) return "contexts: none names a cluster; use another kubeconfig";
  if (current === undefined) return `current-context: not set; set it to one of ${contexts.join(", ")}, or name one with --context`;
  const context = config.getContextObject(current);
  if (context === null) {
    return `current-context: ${JSON.stringify(current)} is not a context that names a cluster; set it to one of ${contexts.join(", ")}`;
  }
  const cluster = config.getCurrentCluster();
  if (cluster === null)
    return `contexts[${current}].cluster: ${JSON.stringify(context.cluster)} is not a cluster with a server; correct its entry in clusters`;
  return clusterProblem(cluster) ?? userProblem(config, context);
}

function clusterProblem(cluster: KubeConfig["clusters"][number]): string | undefined {
  // The URL in its normal form: HTTP:// is http, and localhost:6443 has the scheme localhost.
  const scheme = URL.parse(cluster.server)?.protocol;
  if (scheme !== "https:" && scheme !== "http:")
    return `clusters[${cluster.name}].server: not an address that begins with https://; write https://<host>:<port>`;
  if (scheme === "http:" && !cluster.skipTLSVerify) {
    const problem = `${cluster.server} is not https, so credentials would be sent unencrypted`;
    return `clusters[${cluster.name}].server: ${problem}; instead of the address of kubectl proxy, use the kubeconfig with which it was started`;
  }
  if (cluster.proxyUrl !== undefined && cluster.proxyUrl !== "") {
    return `clusters[${cluster.name}].proxy-url: the API server is never reached through a proxy; name a kubeconfig that reaches it without one`;
  }
  // Rejects this, like kubectl: a user who configures a CA does not want to send the credentials to just any server.
  if (cluster.skipTLSVerify && [cluster.caData, cluster.caFile].some((authority) => nonEmptyText(authority) !== undefined)) {
    return `clusters[${cluster.name}]: insecure-skip-tls-verify contradicts the certificate-authority beside it; remove one of them`;
  }
  return undefined;
}

/** A context without a user is usable: its requests are anonymous. A name that leads nowhere is a mistake, such as after a partial merge. */
function userProblem(config: KubeConfig, context: KubeConfig["contexts"][number]): string | undefined {
  const user = config.getCurrentUser();
  const named = nonEmptyText(context.user);
  if (user === null && named !== undefined)
    return `contexts[${context.name}].user: ${JSON.stringify(named)} is not a user of the kubeconfig; add it to users, or correct the name`;
  return isNobodysImpersonation(user) ? `users[${user?.name ?? ""}]: as-groups, as-uid and as-user-extra need a user; add as` : undefined;
}

function namesOf(entries: readonly { readonly name: string }[]): readonly string[] {
  return entries.map(({ name }) => name);
}

function reasonOf(error: unknown): string {
  const { code } = error as { code?: unknown }; // Used only if it is a string.
  return typeof code === "string" ? code : malformed(error);
}

/** Returns the line and the reason without the text at fault, which the parser quotes. */
function malformed(error: unknown): string {
  const { reason, mark } = error as { reason?: unknown; mark?: { line?: unknown } | null }; // Used only if they are a text and a number.
  const [why] = typeof reason === "string" ? (/^[a-z][a-z ,-]*[a-z]/.exec(reason) ?? []) : [];
  if (typeof mark?.line !== "number") return "malformed";
  return `malformed, line ${mark.line + 1}${why === undefined ? "" : `: ${why}`}`;
}
