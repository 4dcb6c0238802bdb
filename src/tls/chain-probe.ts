import { X509Certificate } from "node:crypto";
import { connect, type PeerCertificate, type TLSSocket } from "node:tls";
import type { CertificateSource } from "../domain/ports/certificate-source.ts";
import type { Clock } from "../domain/ports/clock.ts";
import { untilAborted } from "../runtime/lifecycle.ts";
import { Wakeup } from "./wakeup.ts";

export interface ChainProbeOptions {
  /** Address that the server listens on. */
  readonly address: string;
  readonly port: number;
  /** Name that API servers request. */
  readonly servername: string;
  readonly source: CertificateSource;
  /** Returns the CAs that API servers trust, as PEM; undefined if they are not known. */
  readonly trusted: () => string | undefined;
  readonly clock: Clock;
}

export interface ChainProbe {
  /** Returns undefined if the last handshake succeeded, otherwise one sentence. */
  problem(): string | undefined;
  /** Resolves after the signal aborted. */
  readonly done: Promise<void>;
}

/** Milliseconds. One handshake costs a signature: about two milliseconds of CPU. */
const EVERY = 10_000;
const AFTER_FAILURE = 1_000;
const LONGEST_HANDSHAKE = 5_000;

/**
 * Connects to the server as an API server does, and verifies the certificate that it presents. That a certificate has been issued, and its
 * CA published, does not yet mean that the server uses it.
 */
export function startChainProbe(options: ChainProbeOptions, signal: AbortSignal): ChainProbe {
  let problem: string | undefined = "the serving certificate has not been verified yet";
  const wakeup = new Wakeup(options.clock);
  options.source.onChange(() => wakeup.wake());
  const round = async (): Promise<void> => {
    problem = await probe(options);
    await wakeup.sleep(problem === undefined ? EVERY : AFTER_FAILURE, signal);
  };
  return { problem: () => problem, done: untilAborted(signal, round) };
}

async function probe({ address, port, servername, source, trusted }: ChainProbeOptions): Promise<string | undefined> {
  const current = source.current();
  if (current === undefined) return "there is no serving certificate yet";
  const ca = trusted();
  const socket = connect({
    host: loopbackOf(address),
    port,
    servername,
    // Without a known CA, the probe only compares the certificate itself.
    ...(ca === undefined ? { rejectUnauthorized: false } : { ca }),
  });
  try {
    const served = await handshake(socket);
    if (typeof served === "string") return `the serving certificate does not verify: ${served}`;
    const wanted = new X509Certificate(current.cert).fingerprint256;
    return served.fingerprint256 === wanted ? undefined : "another certificate is served than the current one";
  } finally {
    socket.destroy();
  }
}

/** Returns the presented certificate, or the reason why there is none or it is not trusted. */
function handshake(socket: TLSSocket): Promise<PeerCertificate | string> {
  return new Promise((resolve) => {
    socket.setTimeout(LONGEST_HANDSHAKE, () => resolve("the handshake did not end in time"));
    socket.once("secureConnect", () => resolve(socket.getPeerCertificate()));
    socket.once("error", (error: Error & { readonly code?: string }) => resolve(error.code ?? error.message));
  });
}

function loopbackOf(address: string): string {
  return address === "::" || address === "0.0.0.0" ? "127.0.0.1" : address;
}
