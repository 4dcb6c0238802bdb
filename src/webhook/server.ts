import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { SecureContextOptions, TlsOptions } from "node:tls";
import type { Express } from "express";
import type { CertificateSource, ClientAuthorities } from "../domain/ports/certificate-source.ts";
import type { Clock } from "../domain/ports/clock.ts";
import type { Logger } from "../domain/ports/logger.ts";
import type { FairTurns } from "../runtime/fair-turns.ts";
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
  /** `::`: every address of the machine, IPv4 only where it has no IPv6. */
  readonly address: string;
  /** 0: any free port. */
  readonly port: number;
}

/** What the server shows, and what it asks of clients. */
export interface TlsParts {
  readonly certificates: CertificateSource;
  /** Default 1.3. */
  readonly minVersion?: MinVersion;
  /** Given, only clients with a certificate of one of these CAs get an answer: the API server, where it has been given one. */
  readonly clientAuthorities?: ClientAuthorities | undefined;
}

export type MinVersion = "TLSv1.2" | "TLSv1.3";

export interface DrainOptions {
  /** How long requests still come in after readiness went off: endpoints take a moment to reach every API server. */
  readonly delayMs: number;
  /** How long requests under way may take after that before their connections are cut. */
  readonly graceMs: number;
}

export interface AdmissionServer {
  /** Resolves with the port once it listens. It may not have a certificate yet. */
  start(): Promise<number>;
  /** Undefined when reviews are answered, else one sentence of what is wrong. For a readiness check. */
  problem(): string | undefined;
  readonly isDraining: boolean;
  /** Ends without dropping a request; readiness is the caller's to turn off first. Calls after the first share its end. */
  drain(options: DrainOptions): Promise<void>;
}

/**
 * The API server keeps idle connections for 90 s. Closing ours first would race with a request on its way and fail an
 * admission, so it has to be the one that gives up.
 */
const KEEP_ALIVE_MS = 95_000;

/**
 * Besides what the guard of the connections and the reader of bodies end sooner. A connection that an API server opened and has not used
 * yet counts as one whose headers do not come.
 */
const TIMEOUTS = {
  handshakeTimeout: 5_000,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: KEEP_ALIVE_MS,
  /** Otherwise Node looks every 30 s whether a time is over. */
  connectionsCheckingInterval: 1_000,
} as const;

/** HTTPS. The certificate is swapped while connections stay open. */
export function createAdmissionServer({ app, turns, listen: place, tls, clock, logger }: ServerOptions): AdmissionServer {
  const server = createServer({ ...contextOf(tls), ...clientCheckOf(tls), ...TIMEOUTS });
  const guard = guardConnections(server, app, turns);
  let hasCertificate = false;
  const useCertificate = () => {
    hasCertificate = adopt(server, tls, logger) || hasCertificate;
  };
  useCertificate();
  tls.certificates.onChange(useCertificate);
  tls.clientAuthorities?.onChange(() => {
    useCertificate();
    // Whoever was let in by the list before shows a certificate again.
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

/** Without a list of CAs Node would trust every public one. */
function clientCheckOf({ clientAuthorities }: TlsParts): TlsOptions {
  return clientAuthorities === undefined ? {} : { requestCert: true, rejectUnauthorized: true };
}

/** False where there is none, or where it cannot be used: the one before stays in use then. */
function adopt(server: Server, tls: TlsParts, logger: Logger): boolean {
  const certificate = tls.certificates.current();
  if (certificate === undefined) return false;
  try {
    // The context starts from nothing each time: without minVersion it would fall back to TLS 1.2.
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
    // Without a host, Node itself falls back to IPv4 where the kernel has no IPv6.
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
  // Closes the idle connections; the others end with their answer, which says `Connection: close`.
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
