import { statSync } from "node:fs";
import type { RequestOptions } from "node:https";
import { type ConfigOptions, KubeConfig, type RequestContext } from "@kubernetes/client-node";
import { loadAll } from "js-yaml";
import { Agent } from "undici";
import { listAt, memberOf, membersOf } from "../domain/json-members.ts";
import { isJsonObject } from "../domain/json-object.ts";
import { inheritedEnvironment } from "../runtime/config.ts";
import { addPlugin, addPluginConfig, CredentialPlugins, makePluginAbsolute, type PluginCredential } from "./credential-plugin.ts";
import { addImpersonation, impersonating } from "./impersonation.ts";
import { addTokenFile, makeTokenFileAbsolute, TokenFiles, takeTokenFile } from "./token-file.ts";

/**
 * Concurrent API calls of one process. Further calls wait for a connection instead of opening one each. The limit exceeds the writes (32),
 * events (8), and requests that store nothing (8), which the worker has in progress and which an admission webhook may delay for a long
 * time: reads never wait behind them.
 */
const REQUEST_CONNECTIONS = 56;

/** Connections for calls that must not wait: one for a request, and one for another request while the first one hangs. */
const URGENT_CONNECTIONS = 2;

/** Lower than the API server's own 90 s, so that the server never closes a connection that we are about to use. */
const IDLE_CONNECTION_MS = 60_000;

/** As in client-go: load balancers drop connections that are silent for a minute. */
const TCP_KEEPALIVE_MS = 30_000;

const CONNECT_TIMEOUT_MS = 10_000;

/** `urgent` is for work that the process must do in time whatever else it does, such as renewing its lease. */
export type Purpose = "requests" | "urgent" | "watches";

interface Pools {
  /** State of the TLS files when the pools were created. */
  readonly fingerprint: string;
  readonly requests: Agent;
  readonly urgent: Agent;
  /** Watches are silent for minutes. They have no body timeout, and a request never waits behind a watch. */
  readonly watches: Agent;
}

/**
 * Configuration of client-node with pooled connections. The library itself opens a TLS connection for each call. It still applies
 * credentials to each request, so rotated tokens take effect. When a TLS file changes, this class replaces the pools.
 *
 * The agents ignore HTTPS_PROXY and HTTP_PROXY and connect directly: requests to the API server never go through a proxy.
 */
export class PooledKubeConfig extends KubeConfig {
  #pools: Pools | undefined;
  #closed = false;
  readonly #tokenFiles = new TokenFiles();
  readonly #plugins = new CredentialPlugins({
    cluster: () => this.getCurrentCluster(),
    environment: inheritedEnvironment,
    isTerminal: () => process.stdin.isTTY,
  });

  /** Credential of a plugin that a request was sent with. */
  readonly #used = new WeakMap<RequestContext, PluginCredential>();

  /** Ignores incomplete entries, like client-go, which reads only the chosen context. */
  override loadFromString(text: string, options?: Partial<ConfigOptions>): void {
    const [document = {}] = loadAll(text);
    if (!isJsonObject(document) && document !== null) throw new Error("no object");
    super.loadFromString(document === null || Object.keys(document).length === 0 ? "{}" : text, { ...options, onInvalidEntry: "filter" });
    addFields(this, document);
  }

  override loadFromCluster(pathPrefix?: string): void {
    super.loadFromCluster(pathPrefix);
    for (const user of this.users) takeTokenFile(user);
  }

  override makePathsAbsolute(rootDirectory: string): void {
    super.makePathsAbsolute(rootDirectory);
    makeAddedPathsAbsolute(this, rootDirectory);
  }

  /** From now on acts as this user only, and no longer as any user, group, or extra field that the kubeconfig names. */
  impersonate(user: string): void {
    this.users = this.users.map((known) => impersonating(known, user));
  }

  /** For client-node's generated clients. */
  override async applySecurityAuthentication(context: RequestContext): Promise<void> {
    await this.authenticate(context, "requests");
  }

  /**
   * Returns no dispatcher: the library would create a connection pool for each request and drop it unused. This class has its own pools.
   */
  override createDispatcherOptions(): ReturnType<KubeConfig["createDispatcherOptions"]> {
    return { type: "none" };
  }

  async authenticate(context: RequestContext, purpose: Purpose): Promise<void> {
    const user = this.getCurrentUser();
    const fileToken = this.#tokenFiles.tokenOf(user);
    const credential = fileToken === undefined ? await this.#plugins.credentialOf(user) : undefined;
    if (credential !== undefined) this.#used.set(context, credential);
    const token = fileToken ?? credential?.token;
    if (token !== undefined) context.setHeaderParam("Authorization", `Bearer ${token}`);
    await super.applySecurityAuthentication(context);
    context.setDispatcher((await this.#current())[purpose]);
  }

  /** Drops the credential of a plugin that the request was sent with, because the API server responded with 401. */
  reject(context: RequestContext): void {
    const credential = this.#used.get(context);
    if (credential !== undefined) this.#plugins.reject(credential);
  }

  /** Ends every connection at once, including watches. Later requests fail. */
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
    const { certificate } = this.#plugins;
    const tls: RequestOptions = {};
    await this.applyToHTTPSOptions(tls);
    if (this.#closed) throw new Error("the connections to the API server were closed");
    // Another request may have created the pools while this one waited for the credentials.
    if (this.#pools?.fingerprint === fingerprint) return this.#pools;
    const old = this.#pools;
    this.#pools = createPools(fingerprint, { ...tls, ...certificate });
    // Running requests end normally. The old pools close when their last watch ends. If a close fails, there is nothing left to do.
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
  // HTTP/2 would put watches and requests on one connection, where one stalled stream stalls the others.
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

/** Adds the fields of the same document that client-node does not read. */
function addFields(config: KubeConfig, document: unknown): void {
  for (const entry of listAt(membersOf(document), "users")) {
    const user = config.getUsers().find(({ name }) => name === entry["name"]);
    if (user === undefined) continue;
    const fields = memberOf(entry, "user");
    addTokenFile(user, fields);
    addImpersonation(user, fields);
    addPlugin(user, fields);
  }
  for (const entry of listAt(membersOf(document), "clusters")) {
    const cluster = config.getClusters().find(({ name }) => name === entry["name"]);
    if (cluster !== undefined) addPluginConfig(cluster, memberOf(entry, "cluster"));
  }
}

/** Makes the paths absolute that client-node does not know. */
function makeAddedPathsAbsolute(config: KubeConfig, folder: string): void {
  for (const user of config.users) {
    makePluginAbsolute(user, folder);
    makeTokenFileAbsolute(user, folder);
  }
}
