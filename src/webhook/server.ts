import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { SecureContextOptions, TlsOptions } from "node:tls";
import type { Express } from "express";
import type { CertificateSource, ClientAuthorities } from "../domain/ports/certificate-source.ts";
import type { Clock } from "../domain/ports/clock.ts";
import type { Logger } from "../domain/ports/logger.ts";
import type { FairTurns } from "../runtime/fair-turns.ts";
import { EVERY_REQUEST } from "../runtime/one-request.ts";
import { type ConnectionGuard, guardConnections } from "./connection-guard.ts";

export interface ServerOptions {
  readonly app: Express;
  readonly turns: FairTurns;
  readonly listen: ListenOptions;
  readonly tls: TlsParts;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface ListenOptions {
  /** `::` means every address of the machine, and only IPv4 if it has no IPv6. */
  readonly address: string;
  /** 0 means any free port. */
  readonly port: number;
}

/** The server's certificate, and its requirements for clients. */
export interface TlsParts {
  readonly certificates: CertificateSource;
  /** Default 1.3. */
  readonly minVersion?: MinVersion;
  /** If set, only clients with a certificate from one of these CAs get a response: the API server, if it has such a certificate. */
  readonly clientAuthorities?: ClientAuthorities | undefined;
}

export type MinVersion = "TLSv1.2" | "TLSv1.3";

export interface DrainOptions {
  /** Time for which requests still arrive after the server reports unready: endpoints take a moment to reach every API server. */
  readonly delayMs: number;
  /** Time for which requests in progress may continue after that, before their connections are cut. */
  readonly graceMs: number;
}

export interface AdmissionServer {
  /** Resolves with the port as soon as the server listens. It may not have a certificate yet. */
  start(): Promise<number>;
  /** Returns undefined if the server answers reviews, otherwise one sentence about the problem. For a readiness check. */
  problem(): string | undefined;
  readonly isDraining: boolean;
  /** Ends without dropping a request. The caller must turn off readiness first. Later calls share the end of the first one. */
  drain(options: DrainOptions): Promise<void>;
}

/**
 * The API server keeps idle connections for 90 s. If the webhook closed them first, it could close one while a request arrives, and the
 * admission would fail. So the API server has to close them.
 */
const KEEP_ALIVE_MS = 95_000;

/**
 * Limits in addition to those of the connection guard and the body reader, which end sooner. For Node, a connection that an API server
 * opened and has not used yet is one whose headers do not arrive.
 */
const TIMEOUTS = {
  handshakeTimeout: 5_000,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: KEEP_ALIVE_MS,
  /** By default, Node checks only every 30 s whether a time is over. */
  connectionsCheckingInterval: 1_000,
} as const;

/** Creates the HTTPS server. Its certificate can be replaced while connections stay open. */
export function createAdmissionServer({ app, turns, listen: place, tls, clock, logger }: ServerOptions): AdmissionServer {
  const server = createServer({ ...contextOf(tls), ...clientCheckOf(tls), ...TIMEOUTS, ...EVERY_REQUEST });
  const guard = guardConnections(server, app, turns);
  let hasCertificate = false;
  const useCertificate = () => {
    hasCertificate = adopt(server, tls, logger) || hasCertificate;
  };
  useCertificate();
  tls.certificates.onChange(useCertificate);
  tls.clientAuthorities?.onChange(() => {
    useCertificate();
    // A client that was admitted by the old list must present a certificate again.
    guard.renew();
  });
  server.on("tlsClientError", (error) => logger.debug("a TLS handshake failed", { error }));
  let drained: Promise<void> | undefined;
  return {
    start: () => listen(server, place),
    problem: () => {
      if (drained !== undefined) return "the admission server is stopping";
      if (!server.listening) return "the admission server does not listen";
      return hasCertificate ? undefined : "no serving certificate has been issued yet";
    },
    get isDraining() {
      return drained !== undefined;
    },
    drain: (drainOptions) => {
      drained ??= drainServer({ server, guard, clock }, drainOptions);
      return drained;
    },
  };
}

function contextOf({ minVersion = "TLSv1.3", clientAuthorities }: TlsParts): SecureContextOptions {
  return { minVersion, ...(clientAuthorities === undefined ? {} : { ca: clientAuthorities.current() }) };
}

/** Without a list of CAs, Node would trust every public one. */
function clientCheckOf({ clientAuthorities }: TlsParts): TlsOptions {
  return clientAuthorities === undefined ? {} : { requestCert: true, rejectUnauthorized: true };
}

/** Returns false if there is no certificate, or if it cannot be used. The previous one then stays in use. */
function adopt(server: Server, tls: TlsParts, logger: Logger): boolean {
  const certificate = tls.certificates.current();
  if (certificate === undefined) return false;
  try {
    // Each call creates a new context: without minVersion it would fall back to TLS 1.2.
    server.setSecureContext({ cert: certificate.cert, key: certificate.key, ...contextOf(tls) });
    return true;
  } catch (error) {
    logger.error("a new serving certificate cannot be used", { error });
    return false;
  }
}

function listen(server: Server, { address, port }: ListenOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    // Without a host, Node itself falls back to IPv4 if the kernel has no IPv6.
    server.listen({ port, ...(address === "::" ? {} : { host: address }) }, () => {
      server.off("error", reject);
      resolve(portOf(server.address()));
    });
  });
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === "string") throw new Error("a TCP server has a port");
  return address.port;
}

interface Draining {
  readonly server: Server;
  readonly guard: ConnectionGuard;
  readonly clock: Clock;
}

async function drainServer({ server, guard, clock }: Draining, { delayMs, graceMs }: DrainOptions): Promise<void> {
  const never = new AbortController();
  await clock.sleep(delayMs, never.signal);
  // Closes the idle connections. The others end with their response, which contains `Connection: close`.
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  const giveUp = new AbortController();
  const cut = clock.sleep(graceMs, giveUp.signal).then(
    () => guard.endAll(),
    () => undefined,
  );
  await closed;
  giveUp.abort();
  await cut;
  guard.close();
}
