/**
 * The token proxy of an AKS cluster. It is reached at the API server's address, and signs in for identities that are bound to the cluster.
 */
import { X509Certificate } from "node:crypto";
import { open } from "node:fs/promises";
import { Agent } from "node:https";
import { isIP } from "node:net";
import { connect } from "node:tls";

import { BACKOFF, NEVER, type Retry } from "../domain/ports/retry.ts";
import { VaultError, type VaultErrorCode } from "../domain/ports/vault-error.ts";
import type { TokenProxyPlace } from "../runtime/token-proxy-place.ts";
import type { AdditionalPolicy } from "./additional-policy.ts";
import { boundedCall, CallTimeout } from "./bounded-call.ts";
import { clusterIdIn, proxyNameOf } from "./cluster-name.ts";
import { networkCode } from "./service-answer.ts";

/** Destination of the requests of one sign-in. */
export interface ProxyRoute {
  readonly url: URL;
  /** Trusts only the cluster's CA, and accepts only the cluster's proxy. */
  readonly agent: Agent;
}

export interface TokenProxy {
  /** Rejects only with a `VaultError`. */
  route(): Promise<ProxyRoute>;
}

export interface TokenProxyTime {
  /** Returns milliseconds of a clock that only goes forward. */
  readonly now: () => number;
  /** Time limit in milliseconds for reading the API server's certificate. */
  readonly timeoutMs?: number;
}

/** The Azure provider waits as long for the certificate (milliseconds). */
const READ_TIMEOUT_MS = 10_000;

/** Time in milliseconds for which a fault of the certificate or the CA is remembered: many classes ask, each at its poll. */
const READ_AGAIN_AFTER_MS = 30_000;

/** Sign-ins of an identity are an hour apart, so an idle connection is closed earlier (milliseconds). */
const IDLE_CONNECTION_MS = 30_000;

/** A bundle of CAs has a few kilobytes. */
const MAX_CA_BYTES = 1_048_576;

export function createTokenProxy(place: TokenProxyPlace, { now, timeoutMs = READ_TIMEOUT_MS }: TokenProxyTime): TokenProxy {
  const url = new URL(place.url);
  let connection: { readonly ca: string | undefined; readonly agent: Agent } | undefined;
  let name = place.serverName;
  let pending: Promise<string> | undefined;
  let failed: { readonly error: VaultError; readonly until: number } | undefined;

  /** Reads the certificate once for all callers that wait for it. */
  async function serverName(ca: string | undefined): Promise<string> {
    if (name !== undefined) return name;
    if (failed !== undefined && now() < failed.until) throw failed.error;
    pending ??= nameFromApiServer(place, ca, timeoutMs).finally(() => {
      pending = undefined;
    });
    try {
      name = await pending;
      return name;
    } catch (error) {
      if (error instanceof VaultError) failed = { error, until: now() + READ_AGAIN_AFTER_MS };
      throw error;
    }
  }

  /** Returns the CAs, or undefined for those of the process. */
  async function trusted(): Promise<string | undefined> {
    const read = await readCa(place.caFile);
    if (read === undefined && place.serverName === undefined)
      throw unavailable(`${place.caFile}, with which pods verify the API server's certificate, does not exist; set --sni-name`);
    if (read !== "") return read;
    // The file is empty while it is replaced.
    if (connection?.ca === undefined) throw unavailable(`${place.caFile}, the CA of the cluster, is empty`, BACKOFF);
    return connection.ca;
  }

  return {
    async route() {
      // Reads the file each time: the kubelet replaces it when the cluster's CA changes.
      const ca = await trusted();
      const servername = await serverName(ca);
      if (connection === undefined || connection.ca !== ca) {
        const agent = new Agent({ keepAlive: true, timeout: IDLE_CONNECTION_MS, servername, ...(ca === undefined ? {} : { ca }) });
        connection = { ca, agent };
      }
      return { url, agent: connection.agent };
    },
  };
}

/** Sends every request of a sign-in to the token proxy, under the path that it has at the sign-in service. */
export function tokenProxyPolicy({ url, agent }: ProxyRoute): AdditionalPolicy {
  return {
    position: "perCall",
    policy: {
      name: "tokenProxyPolicy",
      // Comes after the policies that choose a network proxy, because the API server is never reached through one.
      sendRequest: (request, next) => {
        const { pathname, search } = new URL(request.url);
        const target = new URL(url);
        target.pathname = `${url.pathname.replace(/\/$/, "")}${pathname}`;
        target.search = search;
        request.url = target.href;
        request.agent = agent;
        return next(request);
      },
    },
  };
}

const INSTEAD =
  "an identity binding works only on an AKS cluster that has one for the identity: create it, or remove useAzureTokenProxy to use workload identity";

function failure(code: VaultErrorCode, words: string, retry: Retry): VaultError {
  return new VaultError(code, `no token by identity binding: ${words}`, { retry, origin: "apiServer" });
}

function unavailable(words: string, retry = NEVER): VaultError {
  return failure("IdentityUnavailable", words, retry);
}

/** Returns undefined if the file does not exist, as outside pods. */
async function readCa(file: string): Promise<string | undefined> {
  let text: string;
  try {
    const handle = await open(file);
    try {
      const { size } = await handle.stat();
      if (size > MAX_CA_BYTES) throw unavailable(`${file}, the CA of the cluster, is larger than ${MAX_CA_BYTES / 1_024} KiB`);
      text = await handle.readFile("utf8");
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof VaultError) throw error;
    const code = networkCode(error) ?? "unreadable";
    if (code === "ENOENT") return undefined;
    throw unavailable(`${file}, the CA of the cluster, cannot be read (${code})`, BACKOFF);
  }
  if (text !== "" && !isCertificate(text)) throw unavailable(`${file}, the CA of the cluster, contains no certificate`, BACKOFF);
  return text;
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== "";
  } catch {
    return false;
  }
}

async function nameFromApiServer({ apiServer }: TokenProxyPlace, ca: string | undefined, timeoutMs: number): Promise<string> {
  const where = `the API server at ${apiServer.host}:${apiServer.port}`;
  let subjectAltName: string;
  try {
    subjectAltName = await boundedCall((signal) => readCertificate(apiServer, { ca, timeoutMs }, signal), timeoutMs);
  } catch (error) {
    const why = error instanceof CallTimeout ? error.message : `no connection (${networkCode(error) ?? "unknown error"})`;
    throw failure(
      "Unreachable",
      `the cluster cannot be identified by the certificate of ${where}: ${why}; set --sni-name if the cluster's domain is not cluster.local`,
      BACKOFF,
    );
  }
  const id = clusterIdIn(subjectAltName);
  if (id === undefined)
    throw unavailable(
      `the certificate of ${where} does not name an AKS cluster (cluster ID SAN not found in API server certificate); ${INSTEAD}`,
    );
  if (id === "") throw unavailable(`the certificate of ${where} has an empty cluster ID; set --sni-name, or: ${INSTEAD}`);
  return proxyNameOf(id);
}

/** Returns the subjectAltName of the certificate in Node's format. The certificate is verified as for any connection. */
function readCertificate(
  { host, port }: TokenProxyPlace["apiServer"],
  { ca, timeoutMs }: { readonly ca: string | undefined; readonly timeoutMs: number },
  signal: AbortSignal,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...(ca === undefined ? {} : { ca }) });
    socket.on("error", reject);
    socket.once("secureConnect", () => {
      const found = socket.getPeerX509Certificate()?.subjectAltName ?? "";
      // Closes the connection properly, so that the API server's log shows no broken one. If the API server does not close its side, the
      // connection is destroyed.
      socket.end();
      const limit = setTimeout(() => socket.destroy(), timeoutMs).unref();
      socket.once("close", () => clearTimeout(limit));
      resolve(found);
    });
    signal.addEventListener("abort", () => socket.destroy(), { once: true });
  });
}
