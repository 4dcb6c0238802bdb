import { statSync } from "node:fs";
import type { RequestOptions } from "node:https";
import { type ConfigOptions, KubeConfig, type RequestContext } from "@kubernetes/client-node";
import { load } from "js-yaml";
import { Agent } from "undici";
import { spellingAdvice } from "../domain/spelling.ts";
import { inheritedEnvironment } from "../runtime/config.ts";
import { CredentialPlugins } from "./credential-plugin.ts";
import { impersonating, isNobodysImpersonation } from "./impersonation.ts";
import { addFields, makeAddedPathsAbsolute } from "./kubeconfig-fields.ts";

/**
 * Concurrent API calls of one process; more of them wait their turn instead of opening a connection each. More than the writes (32) and events
 * (8) that the worker has under way, which an admission webhook may keep for long: reads never wait behind them.
 */
const REQUEST_CONNECTIONS = 48;

/** For what must not wait behind them: a request, and another beside it while the first one hangs. */
const URGENT_CONNECTIONS = 2;

/** Below the API server's own 90 s, so that it is never the server that closes a connection we are about to use. */
const IDLE_CONNECTION_MS = 60_000;

/** As client-go: load balancers drop connections that are silent for a minute. */
const TCP_KEEPALIVE_MS = 30_000;

const CONNECT_TIMEOUT_MS = 10_000;

/** `urgent`: what the process has to do in time whatever else it does, such as renewing its lease. */
export type Purpose = "requests" | "urgent" | "watches";

interface Pools {
  /** What the TLS files looked like when the pools were made. */
  readonly fingerprint: string;
  readonly requests: Agent;
  readonly urgent: Agent;
  /** Watches are silent for minutes: no body timeout, and no request ever waits behind one. */
  readonly watches: Agent;
}

/**
 * client-node's configuration with pooled connections: the library itself opens a TLS connection per call. Credentials are still
 * applied per request, so rotated tokens are picked up; the pools are replaced when a TLS file changes.
 *
 * The agents connect directly, whatever HTTPS_PROXY and HTTP_PROXY say: the API server is never sent through a proxy.
 */
export class PooledKubeConfig extends KubeConfig {
  #pools: Pools | undefined;
  #closed = false;
  readonly #plugins = new CredentialPlugins({
    cluster: () => this.getCurrentCluster(),
    environment: inheritedEnvironment,
    isTerminal: () => process.stdin.isTTY,
  });

  constructor() {
    super();
    this.addAuthenticator(this.#plugins);
  }

  override loadFromString(text: string, options?: Partial<ConfigOptions>): void {
    super.loadFromString(text, options);
    addFields(this, load(text));
  }

  override makePathsAbsolute(rootDirectory: string): void {
    super.makePathsAbsolute(rootDirectory);
    makeAddedPathsAbsolute(this, rootDirectory);
  }

  /** Acts as that user alone from now on, and no more as whom the kubeconfig says. */
  impersonate(user: string): void {
    this.users = this.users.map((known) => impersonating(known, user));
  }

  /** For client-node's generated clients. */
  override async applySecurityAuthentication(context: RequestContext): Promise<void> {
    await this.authenticate(context, "requests");
  }

  /** The library makes a connection pool of its own for each request, and drops it unused: the pools are ours. */
  override createDispatcherOptions(): ReturnType<KubeConfig["createDispatcherOptions"]> {
    return { type: "none" };
  }

  async authenticate(context: RequestContext, purpose: Purpose): Promise<void> {
    await super.applySecurityAuthentication(context);
    context.setDispatcher((await this.#current())[purpose]);
  }

  /** Ends every connection at once, watches too. Later requests fail. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#plugins.close();
    const pools = this.#pools;
    this.#pools = undefined;
    await Promise.all([pools?.requests.destroy(), pools?.urgent.destroy(), pools?.watches.destroy()]);
  }

  async #current(): Promise<Pools> {
    const fingerprint = this.#fingerprint();
    if (this.#pools?.fingerprint === fingerprint) return this.#pools;
    const tls: RequestOptions = {};
    await this.applyToHTTPSOptions(tls);
    if (this.#closed) throw new Error("the connections to the API server were closed");
    // Another request may have been faster while this one waited for the credentials.
    if (this.#pools?.fingerprint === fingerprint) return this.#pools;
    const old = this.#pools;
    this.#pools = createPools(fingerprint, tls);
    // Running requests end normally; the old pools go when their last watch is renewed. A failed close leaves nothing to do.
    for (const agent of [old?.requests, old?.urgent, old?.watches]) agent?.close().catch(() => undefined);
    return this.#pools;
  }

  #fingerprint(): string {
    const user = this.getCurrentUser();
    const files = [this.getCurrentCluster()?.caFile, user?.certFile, user?.keyFile];
    const read = files.map((file) => (file === undefined || file === null ? "-" : modification(file)));
    return [...read, this.#plugins.certificates].join(" ");
  }
}

export interface KubeConfigSource {
  /** Path of a kubeconfig. Absent or empty: KUBECONFIG, then the pod's ServiceAccount. */
  readonly kubeconfig?: string | undefined;
  /** Of the kubeconfig; absent: its current one. */
  readonly context?: string | undefined;
}

/** Reads the access to the API server; throws an `Error` that says what to set where it cannot be had. */
export function loadKubeConfig(source: KubeConfigSource): PooledKubeConfig {
  const config = new PooledKubeConfig();
  const from = source.kubeconfig === undefined || source.kubeconfig === "" ? "the default Kubernetes configuration" : source.kubeconfig;
  try {
    if (from === source.kubeconfig) config.loadFromFile(from);
    else config.loadFromDefault();
  } catch (error) {
    // A YAML parser quotes the line it stumbled over, which may be a token.
    // oxlint-disable-next-line eslint/preserve-caught-error -- for that reason.
    throw new Error(`${unreadable(error, from === source.kubeconfig ? from : undefined)}; name a readable kubeconfig file`);
  }
  if (from !== source.kubeconfig && isStandIn(config)) {
    throw new Error("no kubeconfig found; set KUBECONFIG, name a file with --kubeconfig, or run in a pod with a ServiceAccount");
  }
  if (source.context !== undefined) choose(config, source.context);
  const problem = problemOf(config);
  if (problem !== undefined) throw new Error(`${from}: ${problem}`);
  return config;
}

/** What client-node makes up where it finds nothing. */
function isStandIn(config: KubeConfig): boolean {
  return config.getCurrentContext() === "loaded-context" && config.getCurrentCluster()?.server === "http://localhost:8080";
}

function choose(config: KubeConfig, context: string): void {
  const known = config.getContexts().map(({ name }) => name);
  if (!known.includes(context))
    throw new Error(`the kubeconfig has no context ${JSON.stringify(context)}; ${spellingAdvice(context, known)}`);
  config.setCurrentContext(context);
}

function problemOf(config: KubeConfig): string | undefined {
  const cluster = config.getCurrentCluster();
  if (cluster === null)
    return `current-context: ${JSON.stringify(config.getCurrentContext())} names no cluster; set it to one of the contexts`;
  if (!URL.canParse(cluster.server)) return `clusters[${cluster.name}].server: not a URL; write https://<host>:<port>`;
  if (cluster.server.startsWith("http:") && !cluster.skipTLSVerify) {
    return `clusters[${cluster.name}].server: ${cluster.server} is not https; set KUBECONFIG, or run in a pod with a ServiceAccount`;
  }
  if (cluster.proxyUrl !== undefined && cluster.proxyUrl !== "") {
    return `clusters[${cluster.name}].proxy-url: the API server is never reached through a proxy; remove it`;
  }
  const user = config.getCurrentUser();
  if (isNobodysImpersonation(user)) return `users[${user?.name ?? ""}]: as-groups, as-uid and as-user-extra need a user; add as`;
  return undefined;
}

function createPools(fingerprint: string, tls: RequestOptions): Pools {
  const { ca, cert, key, pfx, passphrase, servername, rejectUnauthorized } = tls;
  const given = Object.entries({ ca, cert, key, pfx, passphrase, servername, rejectUnauthorized }).filter(
    ([, value]) => value !== undefined,
  );
  const connect = {
    ...Object.fromEntries(given),
    timeout: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelay: TCP_KEEPALIVE_MS,
  };
  // HTTP/2 would put watches and requests on one connection, where a stalled one stalls the rest.
  const shared = { connect, allowH2: false, keepAliveTimeout: IDLE_CONNECTION_MS, keepAliveMaxTimeout: IDLE_CONNECTION_MS };
  return {
    fingerprint,
    requests: new Agent({ ...shared, connections: REQUEST_CONNECTIONS }),
    urgent: new Agent({ ...shared, connections: URGENT_CONNECTIONS }),
    watches: new Agent({ ...shared, bodyTimeout: 0 }),
  };
}

function modification(file: string): string {
  const { mtimeMs, size, ino } = statSync(file);
  return `${mtimeMs}:${size}:${ino}`;
}

/** `file`: as it was named; undefined: whatever KUBECONFIG or the usual place holds, of which the error itself may name the file. */
function unreadable(error: unknown, file: string | undefined): string {
  const { code, path: found } = error as { code?: unknown; path?: unknown }; // Only strings are used.
  // The usual place is not looked into where it is not there.
  if (file === undefined && code === "ENOENT" && typeof found === "string") return `KUBECONFIG names ${found}, which does not exist`;
  const what = file ?? (typeof found === "string" ? found : "what KUBECONFIG or its default names");
  return `${what} cannot be read as a kubeconfig (${typeof code === "string" ? code : malformed(error)})`;
}

/** Where and why, without the text that was stumbled over: a parser quotes it. */
function malformed(error: unknown): string {
  const { reason, mark } = error as { reason?: unknown; mark?: { line?: unknown } | null }; // Only a text and a number are used.
  const [why] = typeof reason === "string" ? (/^[a-z][a-z ,-]*[a-z]/.exec(reason) ?? []) : [];
  if (typeof mark?.line !== "number") return "malformed";
  return `malformed, line ${mark.line + 1}${why === undefined ? "" : `: ${why}`}`;
}
