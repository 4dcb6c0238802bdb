import { request as plainRequest } from "node:http";
import { request as tlsRequest } from "node:https";
import { connect as connectTcp, isIP, type LookupFunction, type Socket } from "node:net";
import { connect as connectTls, type DetailedPeerCertificate, type TLSSocket } from "node:tls";
import { valueAt } from "../domain/json-members.ts";

import type { Reach, ReachAnswer, ReachHost, ReachTarget } from "../domain/reach.ts";
import type { OutboundProxy } from "../runtime/outbound-proxy.ts";

const PORT = 443;

/** Time limit for the whole connection, including the handshake (milliseconds). */
const TIMEOUT_MS = 10_000;

export interface ReachHostOptions {
  readonly proxy?: OutboundProxy | undefined;
  readonly timeoutMs?: number;
  /** Resolver for names that no proxy resolves. Default: the system's. */
  readonly lookup?: LookupFunction;
}

/** The step at which a connection stopped, as an error. */
class Stopped extends Error {
  override readonly name = "Stopped";
  readonly reach: Reach;

  constructor(reach: Reach) {
    super(reach.kind);
    this.reach = reach;
  }
}

/**
 * Distinguishes the steps of a connection, which the SDK's errors do not: name, proxy, TCP, TLS. Sends only the handshake to the host, so
 * it may read a certificate that is not trusted.
 */
export function createReachHost({ proxy, timeoutMs = TIMEOUT_MS, lookup }: ReachHostOptions = {}): ReachHost {
  return async (target, signal): Promise<ReachAnswer> => {
    const { host, port = PORT } = target;
    const used =
      proxy === undefined || target.isDirect === true || proxy.isBypassed(new URL(`https://${host}:${port}/`)) ? undefined : proxy;
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    const named = used === undefined ? undefined : `${used.url.hostname}:${portOf(used.url)}`;
    try {
      const socket =
        used === undefined
          ? await openDirect({ host, port, ...(lookup === undefined ? {} : { lookup }) }, bounded)
          : await openTunnel(used.url, `${host}:${port}`, bounded);
      return { reach: await handshake(socket, target, bounded), proxy: named };
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (error instanceof Stopped) return { reach: error.reach, proxy: named };
      if (bounded.aborted) return { reach: { kind: "silent" }, proxy: named };
      throw error;
    }
  };
}

interface Direct {
  readonly host: string;
  readonly port: number;
  readonly lookup?: LookupFunction;
}

function openDirect(direct: Direct, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp(direct);
    endWith(socket, signal, reject);
    socket.once("connect", () => resolve(socket));
    socket.on("error", (error) => reject(new Stopped(ofConnection(codeOf(error)))));
  });
}

function ofConnection(code: string): Reach {
  if (code === "ENOTFOUND" || code === "ENODATA") return { kind: "unresolved" };
  if (code.startsWith("EAI_")) return { kind: "dnsSilent", code };
  return code === "ETIMEDOUT" ? { kind: "silent" } : { kind: "refused", code };
}

function openTunnel(proxy: URL, target: string, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const credentials = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
    const authorization = proxy.username === "" ? {} : { "Proxy-Authorization": `Basic ${Buffer.from(credentials).toString("base64")}` };
    const send = proxy.protocol === "https:" ? tlsRequest : plainRequest;
    const tunnel = send({
      host: proxy.hostname,
      port: portOf(proxy),
      method: "CONNECT",
      path: target,
      headers: { Host: target, ...authorization },
      agent: false,
    });
    const onAbort = (): void => void tunnel.destroy();
    signal.addEventListener("abort", onAbort, { once: true });
    tunnel.once("connect", ({ statusCode = 0 }, socket: Socket) => {
      signal.removeEventListener("abort", onAbort);
      if (statusCode === 200) {
        resolve(socket);
        return;
      }
      socket.destroy();
      reject(new Stopped({ kind: "proxyRefuses", status: statusCode }));
    });
    tunnel.once("response", (response) => {
      response.destroy();
      reject(new Stopped({ kind: "proxyRefuses", status: response.statusCode ?? 0 }));
    });
    tunnel.on("error", (error) => reject(signal.aborted ? signal.reason : new Stopped({ kind: "proxyUnreachable", code: codeOf(error) })));
    tunnel.end();
  });
}

/** Verifies the certificate, and then closes the connection. If the certificate is not trusted, the result contains its issuer. */
function handshake(socket: Socket, { host, ca }: ReachTarget, signal: AbortSignal): Promise<Reach> {
  return new Promise((resolve, reject) => {
    const name = isIP(host) === 0 ? { servername: host } : { host };
    const secure = connectTls({ socket, rejectUnauthorized: false, ...name, ...(ca === undefined ? {} : { ca }) });
    endWith(secure, signal, reject);
    secure.once("secureConnect", () => {
      resolve(secure.authorized ? { kind: "reached" } : untrusted(secure));
      secure.destroy();
      socket.destroy();
    });
    secure.on("error", (error) => {
      socket.destroy();
      reject(new Stopped({ kind: "refused", code: codeOf(error) }));
    });
  });
}

function untrusted(socket: TLSSocket): Reach {
  const reason: unknown = socket.authorizationError;
  const code = typeof reason === "string" ? reason : codeOf(reason);
  return { kind: "untrusted", code: /^[A-Z][A-Z0-9_]{2,63}$/.test(code) ? code : "UNTRUSTED", issuer: issuerOf(socket) };
}

const MAX_CHAIN = 10;

/** Returns the issuer of the last presented certificate, which the machine would have to trust. */
function issuerOf(socket: TLSSocket): string {
  let last: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  for (let depth = 0; depth < MAX_CHAIN; depth += 1) {
    const next: DetailedPeerCertificate | undefined = last?.issuerCertificate;
    if (next === undefined || next === last || next.fingerprint256 === last?.fingerprint256) break;
    last = next;
  }
  const { CN, O: organization }: { readonly CN?: unknown; readonly O?: unknown } = last?.issuer ?? {};
  const named = [CN, organization].filter((part): part is string => typeof part === "string").join(", ");
  return named.replaceAll(/[\p{Cc}\s]+/gu, " ").slice(0, 120);
}

function endWith(socket: Socket, signal: AbortSignal, reject: (reason: unknown) => void): void {
  const onAbort = (): void => {
    socket.destroy();
    reject(signal.reason);
  };
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  socket.once("close", () => signal.removeEventListener("abort", onAbort));
}

function portOf({ port, protocol }: URL): number {
  if (port !== "") return Number(port);
  return protocol === "https:" ? PORT : 80;
}

function codeOf(error: unknown): string {
  const code = valueAt(error, ["code"]);
  return typeof code === "string" ? code : "UNKNOWN";
}
